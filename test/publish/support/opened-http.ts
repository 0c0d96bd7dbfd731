import { openHttpStorage } from '../../../src/publish/http/open.js';
import type { Storage } from '../../../src/publish/storage.js';

/** The storage at an address, once it is known what the server can do. */
export async function openedHttp(target: string): Promise<Storage> {
  const call = { signal: new AbortController().signal };
  const storage = await openHttpStorage(target, call);
  try {
    await storage.prepare?.(call);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}
