import { setTimeout as sleep } from 'node:timers/promises';
import { UpdateRepositoryError } from '../errors.js';

/** How long transfers may go on ahead of the rate. */
const BURST_MS = 100;

/**
 * Lets all transfers together move so many bytes a second: whoever has moved some waits as long as they were worth. What
 * is not used is not saved up.
 */
export class RateLimit {
  readonly bytesPerSecond: number;
  /** When all bytes that were moved so far will be paid for. */
  #paidAt = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** @throws UpdateRepositoryError INTERRUPTED */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#paidAt = Math.max(now, this.#paidAt) + (1000 * bytes) / this.bytesPerSecond;
    const waitMs = this.#paidAt - now - BURST_MS;
    if (waitMs <= 0) return;
    try {
      await sleep(waitMs, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? new UpdateRepositoryError('INTERRUPTED', 'interrupted') : error;
    }
  }
}
