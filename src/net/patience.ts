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
 * Counts failures in a row, and waits after each: a pause that doubles and has a random part, so that many clients do not
 * come back at once, and no less than the server asked for (`retryAfterMs` in the data of the error).
 */
export class Patience {
  readonly #name: string;
  readonly #options: RetryOptions;
  #failures = 0;
  #failingSince: number | undefined;

  /** @param name what fails, for the note on each failure */
  constructor(name: string, options: RetryOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Something was achieved: the next failure counts as the first. */
  renew(): void {
    this.#failures = 0;
    this.#failingSince = undefined;
  }

  /**
   * Waits until it is time for another try.
   *
   * @throws UpdateRepositoryError INTERRUPTED
   * @throws `error` itself where it is not NETWORK, where there were enough tries, and after an abort
   */
  async afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    const { attempts, firstPauseMs, patienceMs = Number.POSITIVE_INFINITY, onEvent } = this.#options;
    this.#failures += 1;
    this.#failingSince ??= performance.now();
    const pauseMs = Math.max(pauseAfter(this.#failures, firstPauseMs), wantedPause(error));
    const isInTime = performance.now() + pauseMs - this.#failingSince <= patienceMs;
    if (!hasCode(error, 'NETWORK') || this.#failures >= attempts || !isInTime || signal.aborted) throw error;
    const message = `${error.message}; trying again in ${(pauseMs / 1000).toFixed(1)} s`;
    onEvent({ type: 'note', level: 'info', subject: this.#name, message });
    await pause(pauseMs, signal);
  }
}

function pauseAfter(failures: number, firstPauseMs: number): number {
  const most = Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** (failures - 1));
  return most / 2 + (Math.random() * most) / 2;
}

function wantedPause(error: unknown): number {
  if (!(error instanceof UpdateRepositoryError)) return 0;
  const { retryAfterMs } = error.data;
  return typeof retryAfterMs === 'number' ? retryAfterMs : 0;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  }
}
