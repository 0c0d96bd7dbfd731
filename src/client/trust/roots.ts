import { TrustedMetadataStore } from 'tuf-js/dist/store.js';
import { faultOf, type MetadataPlace } from './faults.js';
import type { MetadataFiles } from './metadata-files.js';
import { headOf } from './metadata-head.js';

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
