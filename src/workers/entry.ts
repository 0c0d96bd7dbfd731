import { fromSystemError, type SerializedError, UpdateRepositoryError } from '../errors.js';
import { checkDelta, makeDelta } from './delta-jobs.js';
import { digestPath } from './digest-path.js';
import { examineImage } from './examine-image.js';
import type { Job, JobResults } from './jobs.js';

/** What the pool hands to a worker. The bytes done so far go into `progress`, one 64-bit integer. */
export interface WorkerTask {
  readonly job: Job;
  readonly progress: SharedArrayBuffer;
}

/** Errors travel as data: structured clone would strip ours of everything but the message. */
export type WorkerAnswer =
  | { readonly ok: true; readonly result: JobResults[Job['kind']] }
  | { readonly ok: false; readonly error: SerializedError };

/** Runs in a worker thread of the pool, one job at a time. */
export default async function work({ job, progress }: WorkerTask): Promise<WorkerAnswer> {
  const counter = new BigInt64Array(progress);
  try {
    return { ok: true, result: await perform(job, (doneBytes) => Atomics.store(counter, 0, BigInt(doneBytes))) };
  } catch (cause) {
    const error = fromSystemError(cause, 'work on it', job.path);
    if (!(error instanceof UpdateRepositoryError)) throw error;
    return { ok: false, error: error.toJSON() };
  }
}

function perform(
  job: Job,
  onProgress: (doneBytes: number) => void,
): JobResults[Job['kind']] | Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'examine':
      return examineImage(job, onProgress);
    case 'digest':
      return digestPath(job.path, onProgress);
    case 'delta':
      return makeDelta(job, onProgress);
    case 'check-delta':
      return checkDelta(job, onProgress);
  }
}
