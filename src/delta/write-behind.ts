import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromSystemError } from '../errors.js';

const INTERVAL_MS = 100;

/**
 * Has what `work` writes to a file put on the disk while it runs, again and again, so that the fsync at its end has
 * little left to wait for. Resolves to what `work` does, when nothing is being written any more.
 *
 * @throws what `work` throws; UpdateRepositoryError NO_SPACE or IO when the disk does not take it
 */
export async function writingBehind<Result>(path: string, work: Promise<Result>): Promise<Result> {
  const ended = work.then(
    () => true,
    () => true,
  );
  const failure = await flushUntil(path, ended);
  const result = await work;
  // The kernel tells of a failed write once: whoever syncs after this would not hear of it.
  if (failure !== null) throw fromSystemError(failure, 'write it', path);
  return result;
}

/** Resolves when `ended` does, to what went wrong until then, or null. */
async function flushUntil(path: string, ended: Promise<boolean>): Promise<unknown> {
  try {
    const file = await open(path, 'r+');
    try {
      while (!(await Promise.race([ended, sleep(INTERVAL_MS, false, { ref: false })]))) await file.datasync();
    } finally {
      await file.close();
    }
    return null;
  } catch (error) {
    await ended;
    return error;
  }
}
