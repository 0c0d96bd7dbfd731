import { openStorage } from '../../../src/publish/open-storage.js';
import type { Storage } from '../../../src/publish/storage.js';

/** The storage at an address, to be written. */
export async function opened(target: string): Promise<Storage> {
  return await openStorage(target, { signal: new AbortController().signal, s3: {} });
}
