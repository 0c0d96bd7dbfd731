/** Measures how fast a growing amount grows, over the last seconds only: work speeds up and slows down. */
export class RateMeter {
  readonly #windowMs: number;
  #samples: { readonly atMs: number; readonly amount: number }[];

  /** Starts at `atMs` with nothing done; memory: one sample for each 250 ms of the window. */
  constructor(windowMs: number, atMs: number) {
    this.#windowMs = windowMs;
    this.#samples = [{ atMs, amount: 0 }];
  }

  /** Tells that `amount` is done in all at `atMs`. */
  add(atMs: number, amount: number): void {
    const previous = this.#samples.at(-2);
    // Many small steps share one sample, the newest, so that a busy source does not fill the memory.
    if (previous !== undefined && atMs - previous.atMs < 250) this.#samples.pop();
    this.#samples.push({ atMs, amount });
    const oldest = this.#samples.findIndex((sample) => sample.atMs >= atMs - this.#windowMs);
    // The sample before the newest stays however old it is: one alone has no rate.
    this.#samples = this.#samples.slice(Math.min(oldest, this.#samples.length - 2));
  }

  /** Amount a second at `nowMs`; undefined while there is nothing to tell it from. */
  perSecond(nowMs: number): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.amount <= first.amount || nowMs <= first.atMs)
      return undefined;
    return ((last.amount - first.amount) * 1000) / (nowMs - first.atMs);
  }
}
