import { hasCode } from '../../errors.js';
import type { Device } from '../device/device.js';
import { readGivenRoot } from './given-root.js';
import type { MirrorTexts } from './metadata-files.js';
import { readTrust, stateOfRoot, type TrustState } from './state.js';
import { Trust } from './trust.js';
import type { TrustWish } from './wish.js';

/**
 * What vouches for the mirrors of a device, or for a bundle; null where nobody does.
 *
 * @throws UpdateRepositoryError NOT_FOUND, IO, FORMAT or VERIFICATION for the root that is given, FORMAT or IO for what is
 * remembered
 */
export async function openTrust(wish: TrustWish, device: Device, mirrors: MirrorTexts): Promise<Trust | null> {
  switch (wish.kind) {
    case 'insecure':
      shout(device);
      return null;
    case 'remembered': {
      const state = await readTrust(device.place);
      return state && new Trust(device, mirrors, state, { isKept: true });
    }
    case 'first-use': {
      const state = await readTrust(device.place);
      return new Trust(device, mirrors, state, { isKept: state !== null });
    }
    case 'root':
      return await trustGiven(wish.path, device, mirrors);
  }
}

function shout({ dir, onEvent }: Device): void {
  const message = 'INSECURE: nobody vouches for what is installed now, whatever root is remembered (--insecure)';
  onEvent({ type: 'note', level: 'warning', subject: dir, message });
}

/** The same root may be given each time: what it led to so far counts. */
async function trustGiven(path: string, device: Device, mirrors: MirrorTexts): Promise<Trust> {
  const root = await readGivenRoot(path);
  const given = stateOfRoot(root);
  const kept = await readIfWhole(device);
  if (kept !== null && (kept.given === given.given || kept.root === root)) {
    return new Trust(device, mirrors, kept, { isKept: true });
  }
  if (kept !== null) {
    const message = `another root than the one that is remembered: trust begins anew with the sha256 ${given.given}`;
    device.onEvent({ type: 'note', level: 'warning', subject: path, message });
  }
  return new Trust(device, mirrors, given, { isKept: false });
}

/** What is damaged gives way to the root that is given. */
async function readIfWhole(device: Device): Promise<TrustState | null> {
  try {
    return await readTrust(device.place);
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    device.onEvent({
      type: 'note',
      level: 'warning',
      subject: device.dir,
      message: `${error.message}; trust begins anew`,
    });
    return null;
  }
}
