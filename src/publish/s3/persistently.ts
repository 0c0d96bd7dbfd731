import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, UpdateRepositoryError } from '../../errors.js';

/** How often a request is made at most. */
export const TRIES = 5;

const FIRST_PAUSE_MS = 200;

/**
 * Does `work` again where another try may help: the library does not for what it sends as a stream.
 *
 * @throws UpdateRepositoryError what the last try threw; INTERRUPTED
 */
export async function persistently<T>(signal: AbortSignal, work: () => Promise<T>, tries = TRIES): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'NETWORK') || attempt >= tries) throw error;
    }
    await pause(attempt, signal);
  }
}

/** Longer each time, and never as long as another client's: those who met once do not meet again. */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
  } catch (error) {
    throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  }
}
