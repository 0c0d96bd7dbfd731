import { DeltaBase, type DeltaTargetRequest, type RunDeltaPart } from '../delta/delta-base.js';
import type { DeltaEffort, DeltaStatistics, EngineChoice } from '../delta/generate.js';
import type { TaskGroup } from '../workers/task.js';

/** A base of several deltas, and how they are made. */
export interface SharedBaseRequest {
  readonly path: string;
  readonly effort: DeltaEffort;
  readonly engine: EngineChoice;
  readonly threads: number;
  /** How many deltas are going to be made from it. */
  readonly uses: number;
  readonly memoryBytes: number;
  /** Is told why the engine is not the preferred one. */
  readonly onFallback: (reason: string) => void;
}

/**
 * A base that the first of its deltas indexes, and all of them use, one after the other. Whoever waits for it waits in the
 * main thread: no worker is held up.
 */
export class SharedBase implements TaskGroup, Disposable {
  readonly memoryBytes: number;
  readonly #request: SharedBaseRequest;
  #index: Promise<DeltaBase> | undefined;
  /** Ends when the last delta so far has ended, well or not. */
  #last: Promise<unknown> = Promise.resolve();
  #usesLeft: number;

  constructor(request: SharedBaseRequest) {
    this.#request = request;
    this.memoryBytes = request.memoryBytes;
    this.#usesLeft = request.uses;
  }

  /** Makes a delta, after those that were asked for before it. */
  async delta(runPart: RunDeltaPart, target: DeltaTargetRequest): Promise<DeltaStatistics> {
    const made = this.#last.then(() => this.#make(runPart, target));
    this.#last = Promise.allSettled([made]);
    return await made;
  }

  /** Gives the memory back where deltas that were to come did not. */
  [Symbol.dispose](): void {
    this.#usesLeft = 0;
    this.#release();
  }

  async #make(runPart: RunDeltaPart, target: DeltaTargetRequest): Promise<DeltaStatistics> {
    try {
      this.#index ??= this.#indexed(runPart);
      const base = await this.#index;
      return await base.delta(target, runPart);
    } finally {
      this.#usesLeft -= 1;
      if (this.#usesLeft === 0) this.#release();
    }
  }

  async #indexed(runPart: RunDeltaPart): Promise<DeltaBase> {
    const { path, effort, engine, threads, onFallback } = this.#request;
    const base = await DeltaBase.index({ basePath: path, effort, threads }, runPart, { engine });
    if (base.fallbackReason !== null) onFallback(base.fallbackReason);
    return base;
  }

  #release(): void {
    const index = this.#index;
    this.#index = undefined;
    index?.then(
      (base) => base[Symbol.dispose](),
      () => undefined, // there is nothing to give back, and whoever waited for it was told
    );
  }
}
