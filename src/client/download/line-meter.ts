/** What comes in fewer bytes tells more of the servers' latency than of the line. */
const LEAST_BODY_BYTES = 1 << 20;
/** Of fewer bytes in all nothing is concluded. */
const LEAST_BYTES = 4 << 20;
/** A body that was waited for in less of its time than this was held back by its reader. */
const LEAST_WAITING_SHARE = 0.5;

/** What the line carries. */
export interface LineMeasure {
  readonly bytesPerSecond: number;
  /** Whether it may carry more: nobody has waited for it. */
  readonly isLeast: boolean;
}

/**
 * Measures how many bytes a second the line carries, by the bodies of answers that came no faster because of it: whose
 * reader spent its time waiting for them, and not on the disk or on what it makes of them. The others tell what it carries at
 * least.
 */
export class LineMeter {
  readonly #now: () => number;
  #bytes = 0;
  #ms = 0;
  #leastBytesPerSecond = 0;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** What bodies have achieved so far; null where too few bytes came to tell. */
  get measure(): LineMeasure | null {
    if (this.#bytes >= LEAST_BYTES && this.#ms > 0)
      return { bytesPerSecond: rate(this.#bytes, this.#ms), isLeast: false };
    return this.#leastBytesPerSecond === 0 ? null : { bytesPerSecond: this.#leastBytesPerSecond, isLeast: true };
  }

  /** Begins to measure the body of an answer whose head has come; disposing of it ends that. */
  body(): BodyMeter {
    return new BodyMeter(this.#now, ({ bytes, totalMs, waitedMs }) => {
      if (waitedMs < totalMs * LEAST_WAITING_SHARE) {
        if (bytes >= LEAST_BYTES) this.#leastBytesPerSecond = Math.max(this.#leastBytesPerSecond, rate(bytes, totalMs));
      } else if (bytes >= LEAST_BODY_BYTES) {
        this.#bytes += bytes;
        this.#ms += totalMs;
      }
    });
  }
}

function rate(bytes: number, ms: number): number {
  return (1000 * bytes) / ms;
}

/** What one body was like, from its head to its last piece. */
interface BodyMeasure {
  readonly bytes: number;
  readonly totalMs: number;
  readonly waitedMs: number;
}

/** Measures one body. A wait in which nothing came any more does not count. */
export class BodyMeter implements Disposable {
  readonly #now: () => number;
  readonly #onEnd: (measure: BodyMeasure) => void;
  readonly #startedAt: number;
  #bytes = 0;
  #totalMs = 0;
  #waitedMs = 0;
  #waitedMsInVain = 0;

  constructor(now: () => number, onEnd: (measure: BodyMeasure) => void) {
    this.#now = now;
    this.#onEnd = onEnd;
    this.#startedAt = now();
  }

  async waitFor<T>(piece: Promise<T>): Promise<T> {
    const since = this.#now();
    try {
      return await piece;
    } finally {
      this.#waitedMsInVain += this.#now() - since;
    }
  }

  /** So many bytes came. */
  got(bytes: number): void {
    this.#bytes += bytes;
    this.#totalMs = this.#now() - this.#startedAt;
    this.#waitedMs += this.#waitedMsInVain;
    this.#waitedMsInVain = 0;
  }

  [Symbol.dispose](): void {
    this.#onEnd({ bytes: this.#bytes, totalMs: this.#totalMs, waitedMs: this.#waitedMs });
  }
}
