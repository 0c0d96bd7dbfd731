/** The least that a server has to send. */
export interface PaceLimit {
  readonly bytesPerSecond: number;
  /** Over how long that is measured, and so how long nothing may come at all. */
  readonly windowMs: number;
}

/**
 * Measures how fast the bytes of an answer come, by the time that is spent waiting for them: a reader that takes its time
 * makes no server slow.
 */
export class Pace {
  readonly #limit: PaceLimit;
  #waitedMs = 0;
  #bytes = 0;

  constructor(limit: PaceLimit) {
    this.#limit = limit;
  }

  /** Waits for `piece`; where a window ends meanwhile in which too little came, `onTooSlow` is to make it fail. */
  async waitFor<T>(piece: Promise<T>, onTooSlow: (found: string) => void): Promise<T> {
    const { bytesPerSecond, windowMs } = this.#limit;
    let since = performance.now();
    let timer: NodeJS.Timeout;
    const endOfWindow = () => {
      if (this.#bytes * 1000 < bytesPerSecond * windowMs) {
        onTooSlow(`${this.#bytes} bytes in ${windowMs / 1000} s`);
        return;
      }
      [this.#bytes, this.#waitedMs, since] = [0, 0, performance.now()];
      timer = setTimeout(endOfWindow, windowMs);
    };
    timer = setTimeout(endOfWindow, Math.max(0, windowMs - this.#waitedMs));
    try {
      return await piece;
    } finally {
      clearTimeout(timer);
      this.#waitedMs += performance.now() - since;
    }
  }

  /** So many bytes came. */
  got(bytes: number): void {
    this.#bytes += bytes;
  }
}
