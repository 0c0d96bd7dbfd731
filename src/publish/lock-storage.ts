import type { EventSink } from '../events.js';
import { acquireLease } from './lease.js';
import type { Storage, StorageCall, StorageLock } from './storage.js';

/**
 * Keeps other publishers out, by whatever the storage has for it; where it has nothing, that is said.
 *
 * @throws UpdateRepositoryError LOCKED, naming the holder; what the storage throws
 */
export async function lockStorage(storage: Storage, call: StorageCall, onEvent: EventSink): Promise<StorageLock> {
  if (storage.lock !== undefined) return await storage.lock(call);
  if (storage.abilities.conditionalPut) return await acquireLease(storage, call);
  onEvent({
    type: 'note',
    level: 'warning',
    subject: storage.name,
    message: 'it has no conditional writes, so nothing keeps a second publisher out: let only one run',
  });
  return { assertHeld: async () => undefined, release: async () => undefined };
}
