import { fromSystemError, type SerializedError, UpdateRepositoryError } from '../errors.js';
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

/** Each kind of job loads what it needs when it is there: a thread starts in half the time. */
async function perform(job: Job, addBytes: (bytes: number) => void): Promise<JobResults[Job['kind']]> {
  switch (job.kind) {
    case 'examine': {
      const { examineImage } = await import('./examine-image.js');
      return await examineImage(job, eachTime(addBytes));
    }
    case 'digest': {
      const { digestPath } = await import('./digest-path.js');
      return digestPath(job.path, eachTime(addBytes));
    }
    case 'delta-part': {
      const { runDeltaPart } = await import('../delta/delta-part.js');
      runDeltaPart(job.part, addBytes);
      return null;
    }
    case 'compare-delta': {
      const { compareDelta } = await import('../delta/compare-delta.js');
      compareDelta({ ...job, deltaPath: job.path }, eachTime(addBytes));
      return null;
    }
    case 'prove-delta': {
      const { proveDelta } = await import('./delta-jobs.js');
      return proveDelta(job, eachTime(addBytes));
    }
    case 'check-inputs': {
      const { checkInputs } = await import('./delta-jobs.js');
      checkInputs(job);
      return null;
    }
    case 'check-delta': {
      const { checkDelta } = await import('./delta-jobs.js');
      return checkDelta(job, eachTime(addBytes));
    }
    case 'compress-delta': {
      const { compressAndProve } = await import('./compressed-jobs.js');
      return await compressAndProve(job, eachTime(addBytes));
    }
    case 'check-compressed': {
      const { checkCompressed } = await import('./compressed-jobs.js');
      return checkCompressed(job, eachTime(addBytes));
    }
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
