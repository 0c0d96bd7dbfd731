const FIRST_REST_MS = 15_000;
const MAX_REST_MS = 10 * 60_000;

interface Rest {
  readonly failures: number;
  readonly untilMs: number;
}

/** Which mirrors failed lately: each failure in a row makes a mirror rest twice as long, behind those that did not. */
export class Health {
  readonly #now: () => number;
  readonly #rests = new Map<string, Rest>();

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** @param atLeastMs how long the server said that it wants to be left alone */
  failed(mirror: string, atLeastMs = 0): void {
    const failures = (this.#rests.get(mirror)?.failures ?? 0) + 1;
    const restMs = Math.max(atLeastMs, Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** (failures - 1)));
    this.#rests.set(mirror, { failures, untilMs: this.#now() + restMs });
  }

  succeeded(mirror: string): void {
    this.#rests.delete(mirror);
  }

  /** Those that do not rest in the given order, then those that do: whose rest ends first comes first. */
  order<T extends { readonly mirror: string }>(sources: readonly T[]): T[] {
    const now = this.#now();
    const untilMs = ({ mirror }: T) => {
      const until = this.#rests.get(mirror)?.untilMs ?? now;
      return until <= now ? 0 : until;
    };
    return sources.toSorted((a, b) => untilMs(a) - untilMs(b));
  }
}
