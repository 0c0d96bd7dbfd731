import { join } from 'node:path';
import type { Device } from '../device.js';
import type { Pointers } from '../layout.js';
import { stateOf } from '../plain-file.js';
import { endSwitch, pointersAfter, switchTo } from '../switch.js';

/**
 * Makes the booted image current where another one is, as Puavo's client does before it fetches anything: what the
 * device runs is known to work, and what is current may be what did not. Nothing happens in a layout that does not
 * know what is booted.
 *
 * @throws UpdateRepositoryError LOCKED, NO_SPACE, IO; the reason of an abort
 */
export async function makeBootedCurrent(device: Device): Promise<void> {
  const { dir, layout, onEvent } = device;
  const booted = await layout.booted();
  const { current } = await layout.read();
  if (booted === null || booted === current) return;
  if ((await stateOf(join(dir, booted))) === null) {
    const message = 'is the booted image, but is not in the directory of images: it cannot become the current one';
    onEvent({ type: 'note', level: 'warning', subject: booted, message });
    return;
  }
  await switchTo(device, 'activate', booted);
  await endSwitch(device);
  onEvent({ type: 'note', level: 'info', subject: booted, message: 'is booted, and so is the current image again' });
}

/** What the pointers will lead to once {@link makeBootedCurrent} has been there. */
export async function pointersOnceBootedIsCurrent({ dir, layout }: Device): Promise<Pointers> {
  const [booted, now] = [await layout.booted(), await layout.read()];
  if (booted === null || booted === now.current || (await stateOf(join(dir, booted))) === null) return now;
  return await pointersAfter(dir, now, booted);
}
