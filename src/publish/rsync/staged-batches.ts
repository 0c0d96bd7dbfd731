import type { PutRequest } from '../storage.js';
import { Staging } from './staging.js';

const BATCH_BYTES = 2 ** 30;
const BATCH_OBJECTS = 5000;

/**
 * Checks and stages many objects, about a GiB at a time: while one batch is sent, the next is checked. A batch is gone when
 * the next one is asked for.
 *
 * @throws UpdateRepositoryError what {@link Staging.of} throws
 */
export async function* stagedInBatches(
  requests: readonly PutRequest[],
  timeOf: (path: string) => number,
  signal: AbortSignal,
): AsyncGenerator<Staging> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const begin = (batch: readonly PutRequest[]) => Promise.allSettled([Staging.of(batch, timeOf, either)]);
  const batches = inBatches(requests);
  let ahead: ReturnType<typeof begin> | undefined;
  try {
    for (const [n, batch] of batches.entries()) {
      const [result] = await (ahead ?? begin(batch));
      const next = batches[n + 1];
      ahead = next === undefined || result.status === 'rejected' ? undefined : begin(next);
      if (result.status === 'rejected') throw result.reason;
      try {
        yield result.value;
      } finally {
        await result.value.remove();
      }
    }
  } finally {
    stop.abort();
    for (const left of (await ahead) ?? []) if (left.status === 'fulfilled') await left.value.remove();
  }
}

function inBatches(requests: readonly PutRequest[]): PutRequest[][] {
  const batches: PutRequest[][] = [];
  let sizeBytes = 0;
  for (const request of requests) {
    const last = batches.at(-1);
    if (last === undefined || last.length >= BATCH_OBJECTS || sizeBytes + request.sizeBytes > BATCH_BYTES) {
      batches.push([request]);
      sizeBytes = request.sizeBytes;
    } else {
      last.push(request);
      sizeBytes += request.sizeBytes;
    }
  }
  return batches;
}
