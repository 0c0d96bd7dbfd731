import type { RunDeltaPart } from '../delta/delta-base.js';
import { runDeltaPartPausing } from '../delta/delta-part.js';
import { UpdateRepositoryError } from '../errors.js';
import type { JobContext } from '../workers/pool.js';
import type { RunJob } from '../workers/task.js';

/** Parts of deltas as jobs; `path` is what errors name where nothing else is known. */
export function partsAsJobs(run: RunJob, path: string): RunDeltaPart {
  return async (part) => {
    await run({ kind: 'delta-part', path, part });
  };
}

/**
 * Parts of one delta as `runOther` runs them, but for the first of those that run side by side: this one runs in the
 * calling thread, which has little else to do meanwhile. A delta by one thread so needs no other.
 */
export function firstPartHere(runOther: RunDeltaPart, { progress, signal }: JobContext): RunDeltaPart {
  const doneBytes = new BigInt64Array(progress);
  const addBytes = (bytes: number) => Atomics.add(doneBytes, 0, BigInt(bytes));
  return async (part) => {
    if ('thread' in part && part.thread > 0) return await runOther(part);
    try {
      await runDeltaPartPausing(part, addBytes, signal);
    } catch (error) {
      throw signal.aborted ? new UpdateRepositoryError('INTERRUPTED', 'interrupted') : error;
    }
  };
}
