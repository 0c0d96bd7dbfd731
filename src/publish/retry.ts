import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import type { Storage, StorageCall } from './storage.js';

export interface RetryOptions {
  /** How often a request is made at most. */
  readonly attempts: number;
  /** The pause after the first failure; each next one is up to twice as long. */
  readonly firstPauseMs: number;
  readonly onEvent: EventSink;
}

const MAX_PAUSE_MS = 30_000;

/**
 * Makes requests again that failed with NETWORK, after a pause that doubles and has a random part, so that many clients do
 * not come back at once. A request that took effect and whose answer was lost is made twice: all of them may be, but a put
 * on condition then finds the condition broken by itself; who uses one has to know its own object again.
 */
export function withRetries(storage: Storage, options: RetryOptions): Storage {
  const again = <T>(call: RetriedCall, request: () => Promise<T>) => retrying(storage, options, call, request);
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

async function retrying<T>(
  { name }: Storage,
  { attempts, firstPauseMs, onEvent }: RetryOptions,
  { signal, onRestart }: RetriedCall,
  request: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      if (!hasCode(error, 'NETWORK') || attempt >= attempts || signal.aborted) throw error;
      const pauseMs = pauseAfter(attempt, firstPauseMs);
      const message = `${error.message}; trying again in ${(pauseMs / 1000).toFixed(1)} s`;
      onEvent({ type: 'note', level: 'info', subject: name, message });
      await pause(pauseMs, signal);
      onRestart?.();
    }
  }
}

function pauseAfter(attempt: number, firstPauseMs: number): number {
  const most = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** (attempt - 1));
  return most / 2 + (Math.random() * most) / 2;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    throw error;
  }
}
