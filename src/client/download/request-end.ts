import type { UpdateRepositoryError } from '../../errors.js';

/** What ends one request: its caller, or whoever watches over it and found it too slow. */
export class RequestEnd implements Disposable {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #onAbort = () => this.#controller.abort(this.#caller.reason);

  constructor(caller: AbortSignal) {
    this.#caller = caller;
    if (caller.aborted) this.#onAbort();
    else caller.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Of the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the request, which then fails with `error`. */
  with(error: UpdateRepositoryError): void {
    this.#controller.abort(error);
  }

  /** Ends the request where `work` takes longer than `limitMs`. */
  async after<T>(limitMs: number, error: UpdateRepositoryError, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.with(error), limitMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#caller.removeEventListener('abort', this.#onAbort);
  }
}
