import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { RetryOptions } from '../retry.js';

const MAX_PAUSE_MS = 30_000;

/** No other try begins later after the first failure, however many there may be. */
const PATIENCE_MS = 5 * 60_000;

/**
 * Does `work` again where another try may help, after a pause that doubles and has a random part.
 *
 * @param name what fails, for the note on each failure
 * @throws UpdateRepositoryError what the last try threw; INTERRUPTED
 */
export async function persistently<T>(
  name: string,
  retries: RetryOptions,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  let failingSince: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      failingSince ??= performance.now();
      const pauseMs = pauseAfter(attempt, retries.firstPauseMs);
      const isInTime = performance.now() + pauseMs - failingSince <= PATIENCE_MS;
      if (!hasCode(error, 'NETWORK') || attempt >= retries.attempts || !isInTime || signal.aborted) throw error;
      const message = `${error.message}; trying again in ${(pauseMs / 1000).toFixed(1)} s`;
      retries.onEvent({ type: 'note', level: 'info', subject: name, message });
      await pause(pauseMs, signal);
    }
  }
}

/** Never as long as another client's: those who met once do not meet again. */
function pauseAfter(attempt: number, firstPauseMs: number): number {
  const most = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** (attempt - 1));
  return most / 2 + (Math.random() * most) / 2;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  }
}
