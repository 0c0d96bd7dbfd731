import { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { hasCode } from '../../errors.js';
import { faultOf, type MetadataPlace } from './faults.js';
import type { MetadataFiles } from './metadata-files.js';
import { headOf } from './metadata-head.js';

/** As many as tuf-js follows in one update. */
export const MAX_ROOT_ROTATIONS = 256;

/** Throws what is wrong with a root that somebody gave; `file` opens the message. */
export function checkRoot(text: string, file: string): void {
  headOf(text, { file, role: 'root' });
  storeOf(text, file);
}

/**
 * Reads the roots before one that somebody gave, which have to lead to it, and resolves to its version; `name` opens the
 * messages about it.
 *
 * @throws UpdateRepositoryError VERIFICATION with `data.reason`, FORMAT; NETWORK, STORAGE, INTERRUPTED
 */
export async function readEarlierRoots(root: string, name: string, files: MetadataFiles): Promise<number> {
  const given = { file: name, role: 'root' };
  const { version: last } = headOf(root, given);
  let store: TrustedMetadataStore | null = null;
  const follow = (text: string, place: MetadataPlace) => {
    if (store === null) store = storeOf(text, place.file);
    else updateRoot(store, text, place);
  };
  for (let version = 1; version < last; version++) {
    await files.read({ role: 'root', kind: 'root', version }, follow);
  }
  follow(root, given);
  return last;
}

/**
 * Whether the roots of the mirror lead from one root to a later one; where one between them is missing, or does not follow, nobody
 * can say so.
 *
 * @throws UpdateRepositoryError NETWORK, STORAGE, INTERRUPTED
 */
export async function leadsTo(earlier: string, later: string, files: MetadataFiles): Promise<boolean> {
  const place = { file: 'the trusted root', role: 'root' };
  try {
    const [first, last] = [headOf(earlier, place).version, headOf(later, place).version];
    if (last <= first || last - first > MAX_ROOT_ROTATIONS) return false;
    const store = storeOf(earlier, place.file);
    for (let version = first + 1; version < last; version++) {
      const wanted = { role: 'root', kind: 'root', version } as const;
      const follow = (text: string, found: MetadataPlace) => updateRoot(store, text, found);
      if ((await files.readIfThere(wanted, follow)) === null) return false;
    }
    updateRoot(store, later, place);
    return true;
  } catch (error) {
    if (hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT')) return false;
    throw error;
  }
}

/** Trust that begins with a root; `file` opens the messages. Throws FORMAT or VERIFICATION. */
export function storeOf(root: string, file: string): TrustedMetadataStore {
  const place = { file, role: 'root' };
  try {
    return new TrustedMetadataStore(Buffer.from(root));
  } catch (error) {
    throw faultOf(error, place, () => headOf(root, place).expires);
  }
}

function updateRoot(store: TrustedMetadataStore, root: string, place: MetadataPlace): void {
  try {
    store.updateRoot(Buffer.from(root));
  } catch (error) {
    throw faultOf(error, place, () => headOf(root, place).expires);
  }
}
