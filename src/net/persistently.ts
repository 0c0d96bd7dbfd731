import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';

export interface RetryOptions {
  /** How often a request is made at most. */
  readonly attempts: number;
  /** The pause after the first failure; each next one is up to twice as long. */
  readonly firstPauseMs: number;
  /** No other try begins later after the first failure, however many there may be; left out, that does not matter. */
  readonly patienceMs?: number;
  readonly onEvent: EventSink;
}

const MAX_PAUSE_MS = 30_000;

/**
 * Does `work` again that failed with NETWORK, after a pause that doubles and has a random part, so that many clients do not
 * come back at once. It is told which attempt it is, from 1 on.
 *
 * @param name what fails, for the note on each failure
 * @throws UpdateRepositoryError what the last try threw; INTERRUPTED
 */
export async function persistently<T>(
  name: string,
  { attempts, firstPauseMs, patienceMs = Number.POSITIVE_INFINITY, onEvent }: RetryOptions,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  let failingSince: number | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      failingSince ??= performance.now();
      const pauseMs = pauseAfter(attempt, firstPauseMs);
      const isInTime = performance.now() + pauseMs - failingSince <= patienceMs;
      if (!hasCode(error, 'NETWORK') || attempt >= attempts || !isInTime || signal.aborted) throw error;
      const message = `${error.message}; trying again in ${(pauseMs / 1000).toFixed(1)} s`;
      onEvent({ type: 'note', level: 'info', subject: name, message });
      await pause(pauseMs, signal);
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
    throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  }
}
