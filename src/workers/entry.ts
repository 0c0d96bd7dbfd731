import { compareDelta } from '../delta/compare-delta.js';
import { runDeltaPart } from '../delta/delta-part.js';
import { fromSystemError, type SerializedError, UpdateRepositoryError } from '../errors.js';
import { checkDelta, proveDelta } from './delta-jobs.js';
import { digestPath } from './digest-path.js';
import { examineImage } from './examine-image.js';
import type { Job, JobResults } from './jobs.js';

/** What the pool hands to a worker. The bytes that it has done are added to `progress`, one 64-bit integer. */
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
    return { ok: true, result: await perform(job, (bytes) => Atomics.add(counter, 0, BigInt(bytes))) };
  } catch (cause) {
    const error = fromSystemError(cause, 'work on it', job.path);
    if (!(error instanceof UpdateRepositoryError)) throw error;
    return { ok: false, error: error.toJSON() };
  }
}

function perform(
  job: Job,
  addBytes: (bytes: number) => void,
): JobResults[Job['kind']] | Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'examine':
      return examineImage(job, eachTime(addBytes));
    case 'digest':
      return digestPath(job.path, eachTime(addBytes));
    case 'delta-part':
      runDeltaPart(job.part, addBytes);
      return null;
    case 'prove-delta':
      return proveDelta(job, eachTime(addBytes));
    case 'compare-delta':
      compareDelta({ ...job, deltaPath: job.path }, eachTime(addBytes));
      return null;
    case 'check-delta':
      return checkDelta(job, eachTime(addBytes));
  }
}

/** For a job that says how many bytes it has done in all: hands on what came since it last said so. */
function eachTime(addBytes: (bytes: number) => void): (doneBytes: number) => void {
  let added = 0;
  return (doneBytes) => {
    addBytes(doneBytes - added);
    added = doneBytes;
  };
}
