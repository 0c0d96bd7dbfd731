import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../../errors.js';
import type { SeriesName } from '../../metadata/brands.js';
import type { RemovableImage } from '../removable-image.js';
import type { Device } from './device.js';
import { type OwnImage, ownImages } from './own-images.js';
import { pointersOnceBootedIsCurrent } from './puavo/make-booted-current.js';
import { removeImage } from './remove-image.js';
import { forgetPrevious } from './switch.js';

/**
 * The images of a series, and the previous one of any, that an update may remove before it begins, oldest first: untouched
 * files of the mirror that are not current, not booted, and not needed by others. One that has more names than those of
 * the layout is none, since its bytes would stay.
 *
 * @throws UpdateRepositoryError IO; FORMAT where it cannot be read what others need
 */
export async function removableImages(device: Device, series: SeriesName): Promise<readonly RemovableImage[]> {
  const { current, previous } = await pointersOnceBootedIsCurrent(device);
  const staying = new Set([current, await device.layout.booted()]);
  const removable: RemovableImage[] = [];
  for (const { fileName: filename, record } of await ownImages(device)) {
    const isPrevious = filename === previous;
    if (staying.has(filename) || (record.series !== series && !isPrevious)) continue;
    const freedBytes = await bytesFreedBy(device, filename);
    if (freedBytes === 0 || (await device.layout.isProtected(filename))) continue;
    removable.push({ filename, version: record.version, freedBytes, isPrevious });
  }
  return removable.sort((a, b) => (a.version < b.version ? -1 : 1));
}

/**
 * Removes images of {@link removableImages}, to be called once the booted image is current. One that has changed since, or
 * is needed by now, stays.
 *
 * @throws UpdateRepositoryError IO, LOCKED, NO_SPACE; the reason of an abort
 */
export async function removeForRoom(device: Device, filenames: readonly string[]): Promise<void> {
  for (const filename of filenames) {
    const image = (await ownImages(device)).find(({ fileName }) => fileName === filename);
    if (image !== undefined) await removeIfLoose(device, image);
  }
}

async function removeIfLoose(device: Device, image: OwnImage): Promise<void> {
  const { layout } = device;
  const { current, previous } = await layout.read();
  const { fileName } = image;
  if (fileName === current || fileName === (await layout.booted()) || (await layout.isProtected(fileName))) return;
  if (fileName === previous) await forgetPrevious(device, () => removeImage(device, image));
  else await removeImage(device, image);
}

/** What the file takes, which of a sparse or a packed one is less than its size; 0 where it has names of others. */
async function bytesFreedBy({ dir, layout }: Device, filename: string): Promise<number> {
  const { current, previous } = await layout.read();
  const pointers = layout.hasHardLinks ? [current, previous].filter((name) => name === filename).length : 0;
  const path = join(dir, filename);
  try {
    const { nlink, size, blocks } = await lstat(path);
    return nlink > 1 + pointers ? 0 : Math.min(size, blocks * 512);
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}
