import { openHttpStorage } from '../../../src/publish/http/open.js';
import { withRetries } from '../../../src/publish/retry.js';
import type { Storage } from '../../../src/publish/storage.js';

/** The storage at an address, once it is known what the server can do. */
export async function openedHttp(target: string): Promise<Storage> {
  const call = { signal: new AbortController().signal };
  const storage = await openHttpStorage(target, call);
  try {
    await withRetries(storage, { attempts: 3, firstPauseMs: 50, onEvent: () => undefined }).prepare?.(call);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}
