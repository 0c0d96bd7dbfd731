import type { RetryOptions } from '../net/patience.js';
import { persistently } from '../net/persistently.js';
import type { Storage, StorageCall } from './storage.js';

/**
 * Makes requests again that failed for now, as {@link persistently} does. A request that took effect and whose answer was
 * lost is made twice: all of them may be, but a put on condition then finds the condition broken by itself; who uses one has
 * to know its own object again.
 */
export function withRetries(storage: Storage, options: RetryOptions): Storage {
  const again = <T>({ signal, onRestart }: RetriedCall, request: () => Promise<T>) =>
    persistently(storage.name, options, signal, (attempt) => {
      if (attempt > 1) onRestart?.();
      return request();
    });
  const { putMany, same, tidy, prepare, readsAhead } = storage;
  return {
    name: storage.name,
    get abilities() {
      return storage.abilities;
    },
    get lock() {
      const { lock } = storage;
      return lock === undefined ? undefined : (call: StorageCall) => again(call, () => lock.call(storage, call));
    },
    ...(prepare === undefined
      ? {}
      : { prepare: (call: StorageCall) => again(call, () => prepare.call(storage, call)) }),
    async *list(prefix, call) {
      // From the start: what was listed before a failure may be another listing's.
      yield* await again(call, async () => {
        const objects = [];
        for await (const object of storage.list(prefix, call)) objects.push(object);
        return objects;
      });
    },
    stat: (path, call) => again(call, () => storage.stat(path, call)),
    ...(readsAhead === undefined ? {} : { readsAhead }),
    // What is cut while it is read fails: the reader has the first half already.
    read: (path, call) => again(call, () => storage.read(path, call)),
    put: (request, call) => again(call, () => storage.put(request, call)),
    ...(putMany === undefined
      ? {}
      : { putMany: (requests, call) => again(call, () => putMany.call(storage, requests, call)) }),
    ...(same === undefined ? {} : { same: (requests, call) => again(call, () => same.call(storage, requests, call)) }),
    remove: (paths, call) => again(call, () => storage.remove(paths, call)),
    ...(tidy === undefined ? {} : { tidy: (call: StorageCall) => again(call, () => tidy.call(storage, call)) }),
    close: () => storage.close(),
  };
}

type RetriedCall = Pick<StorageCall, 'signal' | 'onRestart'>;
