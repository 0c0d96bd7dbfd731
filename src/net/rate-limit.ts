import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateRepositoryError } from '../errors.js';

/** How long transfers may go on ahead of the rate. */
const BURST_MS = 100;
/** Pieces a second in all: so many transfers may take turns, and each still moves something every second. */
const PIECES_PER_SECOND = 16;

/** What tells the time, in milliseconds, and waits. */
export interface Clock {
  now(): number;
  /** Rejects after an abort. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

/**
 * Lets all transfers together move so many bytes a second: whoever has moved some waits as long as they were worth. What
 * is not used is not saved up.
 *
 * Servers end a request that says nothing for a while (S3 after 20 s, nginx after 60 s): so bytes are to be moved in
 * pieces of `pieceBytes` at most, evenly.
 */
export class RateLimit {
  readonly bytesPerSecond: number;
  readonly pieceBytes: number;
  readonly #clock: Clock;
  /** When all bytes that were moved so far will be paid for. */
  #paidAt = 0;

  constructor(bytesPerSecond: number, clock = SYSTEM_CLOCK) {
    this.bytesPerSecond = bytesPerSecond;
    this.pieceBytes = Math.max(1, Math.floor(bytesPerSecond / PIECES_PER_SECOND));
    this.#clock = clock;
  }

  /** @throws UpdateRepositoryError INTERRUPTED */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    this.#paidAt = Math.max(now, this.#paidAt) + (1000 * bytes) / this.bytesPerSecond;
    const waitMs = this.#paidAt - now - BURST_MS;
    if (waitMs <= 0) return;
    try {
      await this.#clock.sleep(waitMs, signal);
    } catch (error) {
      throw signal.aborted ? new UpdateRepositoryError('INTERRUPTED', 'interrupted') : error;
    }
  }
}
