import { hasCode } from '../../errors.js';
import type { Device } from '../device/device.js';
import { readGivenRoot } from './given-root.js';
import { MetadataFiles, type MirrorTexts } from './metadata-files.js';
import { readTrust, rootSha256, stateOfRoot, type TrustState } from './state.js';
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

/** The same root may be given each time, or another one of its chain: what was seen so far counts. */
async function trustGiven(path: string, device: Device, mirrors: MirrorTexts): Promise<Trust> {
  const root = await readGivenRoot(path);
  const given = stateOfRoot(root);
  const kept = await readIfWhole(device);
  if (kept !== null) {
    const state = await keptWith(root, kept, new MetadataFiles(mirrors, device.signal));
    if (state !== null) return new Trust(device, mirrors, state, { isKept: state === kept });
    const message = `another root than the one that is remembered: trust begins anew with the sha256 ${given.given}`;
    device.onEvent({ type: 'note', level: 'warning', subject: path, message });
  }
  return new Trust(device, mirrors, given, { isKept: false });
}

/**
 * What is remembered, where a root is of the same chain: by what is known of that already, or because the roots of the mirror
 * lead from the one to the other. A later one than what is remembered is where trust goes on from. Null where it is of another chain.
 */
async function keptWith(root: string, kept: TrustState, files: MetadataFiles): Promise<TrustState | null> {
  const sha256 = rootSha256(root);
  if (kept.root === root || kept.given === sha256 || kept.chain.has(sha256)) return kept;
  const { leadsTo } = await import('./roots.js');
  const chain = new Set([...kept.chain, sha256]);
  if (await leadsTo(root, kept.root, files)) return { ...kept, chain };
  if (await leadsTo(kept.root, root, files)) return { ...kept, chain, root };
  return null;
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
