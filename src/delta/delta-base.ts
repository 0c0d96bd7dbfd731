import fs from 'node:fs';
import { BaseSession } from './base-session.js';
import type { DeltaPart } from './delta-part.js';
import type { DeltaStatistics } from './encode.js';
import type { EngineTuning } from './engine.js';
import { usualTuning } from './generate.js';
import type { DeltaEffort } from './parameters.js';
import { runStepsAside } from './steps.js';
import { writingBehind } from './write-behind.js';

/** Runs a part of a delta by `runDeltaPart`, in another thread or here. */
export type RunDeltaPart = (part: DeltaPart) => Promise<void>;

export interface DeltaBaseRequest {
  readonly basePath: string;
  readonly effort: DeltaEffort;
  /** How many parts run side by side; the bytes do not depend on it. */
  readonly threads: number;
}

export interface DeltaTargetRequest {
  readonly targetPath: string;
  /** Where the delta goes; nothing may be there. */
  readonly deltaPath: string;
  /** A delta that grows past it is given up with DELTA_TOO_LARGE. */
  readonly maxDeltaBytes?: number;
  /** Whether the delta is on the disk in the end; left out, it is. */
  readonly sync?: boolean;
}

/** A base that is indexed once for any number of deltas, made one after the other, each by several threads. */
export class DeltaBase implements Disposable {
  readonly #session: BaseSession;

  private constructor(session: BaseSession) {
    this.#session = session;
  }

  /**
   * Indexes a base. Its parts read all of the file once.
   *
   * @throws UpdateRepositoryError as generateDelta, or what `run` throws
   */
  static async index(
    { basePath, effort, threads }: DeltaBaseRequest,
    run: RunDeltaPart,
    tuning: Partial<EngineTuning> = {},
  ): Promise<DeltaBase> {
    const session = new BaseSession(basePath, effort, { ...usualTuning(effort), ...tuning }, threads);
    try {
      await runStepsAside(session.index(), stoppingOthers(session, run));
      return new DeltaBase(session);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Why the engine is TypeScript where WebAssembly would have been taken; null where it is not so. */
  get fallbackReason(): string | null {
    return this.#session.fallbackReason;
  }

  /**
   * Writes the delta that makes a target from the base: the same bytes as by generateDelta. Its parts read the target
   * once. Leaves no file behind when it fails.
   *
   * @throws UpdateRepositoryError as generateDelta, or what `run` throws
   */
  async delta(
    { targetPath, deltaPath, maxDeltaBytes = Number.POSITIVE_INFINITY, sync = true }: DeltaTargetRequest,
    run: RunDeltaPart,
  ): Promise<DeltaStatistics> {
    const steps = this.#session.delta({ targetPath, path: deltaPath, maxDeltaBytes, sync });
    try {
      const made = runStepsAside(steps, stoppingOthers(this.#session, run));
      return await (sync ? writingBehind(deltaPath, made) : made);
    } catch (error) {
      fs.rmSync(deltaPath, { force: true });
      throw error;
    }
  }

  /** Ends its use, when no delta is being made any more. */
  [Symbol.dispose](): void {
    this.#session.close();
  }
}

/** A thread can end without a word, for want of memory say: then nobody but this one can tell the others. */
function stoppingOthers(session: BaseSession, run: RunDeltaPart): RunDeltaPart {
  return async (part) => {
    try {
      await run(part);
    } catch (error) {
      session.partFailed(part, error);
      throw error;
    }
  };
}
