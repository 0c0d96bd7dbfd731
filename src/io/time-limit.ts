/**
 * A signal that aborts with another one, or with a TimeoutError when so much time is over, until it is disposed of.
 *
 * Not AbortSignal.any of an AbortSignal.timeout: in Node 20 nobody holds the latter, and once it is collected it never
 * aborts.
 */
export class TimeLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#controller.abort(this.#outer.reason);

  constructor(outer: AbortSignal, limitMs: number) {
    this.#outer = outer;
    this.#timer = setTimeout(() => this.#controller.abort(new DOMException('too late', 'TimeoutError')), limitMs);
    if (outer.aborted) this.#onAbort();
    else outer.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }
}
