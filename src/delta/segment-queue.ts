/** Words of the shared control area. */
const CLAIMED = 0;
const WRITTEN = 1;
const WRITING = 2;
const STOPPED = 3;
/** From here on one word a slot: 1 + the segment that lies in it, encoded. */
const READY = 4;

/** A thread waits so long at once. */
const WAIT_MS = 100;

/** There is nothing more to claim. */
export const NO_SEGMENT = -1;

/** A slot is taken still. */
export const NO_SLOT_YET = -2;

/** Bytes of the control area for `slots` slots. */
export function queueBytes(slots: number): number {
  return 4 * (READY + slots);
}

/**
 * Hands out the segments of a file to threads, in order, and has their results written in the same order: each result
 * waits in the slot `segment % slots`, and whoever completes the segment that is next writes it and all that are ready
 * behind it. A thread waits only for a slot, that is for a segment that was claimed earlier and so is being worked on: no
 * claim ever waits for work that has not begun.
 */
export class SegmentQueue {
  readonly #words: Int32Array;
  readonly #segments: number;
  readonly #slots: number;

  constructor(buffer: SharedArrayBuffer, address: number, segments: number, slots: number) {
    this.#words = new Int32Array(buffer, address, READY + slots);
    this.#segments = segments;
    this.#slots = slots;
  }

  /** Makes the queue new; nobody may use it meanwhile. */
  reset(): void {
    this.#words.fill(0);
  }

  /** The next segment, or {@link NO_SEGMENT} when all are claimed or the work was stopped. */
  claim(): number {
    const segment = this.#isStopped() ? this.#segments : Atomics.add(this.#words, CLAIMED, 1);
    return segment < this.#segments ? segment : NO_SEGMENT;
  }

  /**
   * Waits until the slot of a claimed segment is free, and returns it; {@link NO_SEGMENT} when the work was stopped, and
   * {@link NO_SLOT_YET} after 100 ms, so that a thread can see what else there is to do.
   */
  waitForSlot(segment: number): number {
    const until = performance.now() + WAIT_MS;
    for (;;) {
      if (this.#isStopped()) return NO_SEGMENT;
      const written = Atomics.load(this.#words, WRITTEN);
      if (segment - written < this.#slots) return segment % this.#slots;
      const leftMs = until - performance.now();
      if (leftMs <= 0) return NO_SLOT_YET;
      Atomics.wait(this.#words, WRITTEN, written, leftMs);
    }
  }

  /** Says that a segment is complete in its slot, and writes what is next; `write` is given slots in order. */
  complete(segment: number, write: (slot: number) => void): void {
    const words = this.#words;
    Atomics.store(words, READY + (segment % this.#slots), segment + 1);
    // Whoever is writing sees the segment, or has stopped writing before it was ready and leaves it to this thread.
    while (this.#nextIsReady() && Atomics.compareExchange(words, WRITING, 0, 1) === 0) {
      try {
        while (this.#nextIsReady()) {
          write(Atomics.load(words, WRITTEN) % this.#slots);
          Atomics.add(words, WRITTEN, 1);
          Atomics.notify(words, WRITTEN);
        }
      } finally {
        Atomics.store(words, WRITING, 0);
      }
    }
  }

  /** Ends the work of all threads, because one has failed. */
  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    Atomics.notify(this.#words, WRITTEN);
  }

  #isStopped(): boolean {
    return Atomics.load(this.#words, STOPPED) !== 0;
  }

  #nextIsReady(): boolean {
    const next = Atomics.load(this.#words, WRITTEN);
    return Atomics.load(this.#words, READY + (next % this.#slots)) === next + 1;
  }
}
