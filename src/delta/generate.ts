import { layOutArena } from './arena-layout.js';
import { BaseSession } from './base-session.js';
import { type DeltaPart, runDeltaPart } from './delta-part.js';
import type { DeltaStatistics } from './encode.js';
import type { EngineTuning } from './engine.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { type DeltaEffort, deltaParameters } from './parameters.js';
import { runSteps } from './steps.js';

export type { DeltaStatistics } from './encode.js';
export type { EngineChoice, EngineTuning } from './engine.js';
export type { DeltaHooks } from './hooks.js';
export type { DeltaEffort } from './parameters.js';

export interface DeltaRequest {
  readonly basePath: string;
  readonly targetPath: string;
  /** Where the delta goes; nothing may be there. */
  readonly deltaPath: string;
  readonly effort: DeltaEffort;
  /** A delta that grows past it is given up with DELTA_TOO_LARGE. */
  readonly maxDeltaBytes?: number;
}

/**
 * How an engine works where nobody says otherwise. What is copied from compressed images is long; of file systems it is
 * short, and a page of the base that is read for it is mostly read for nothing.
 */
export function usualTuning(effort: DeltaEffort): EngineTuning {
  const pages = effort === 'fast' ? { pageBytes: 32768, maxPages: 128 } : { pageBytes: 8192, maxPages: 512 };
  return { engine: 'auto', batchBytes: 8192, slotsPerThread: 2, ...pages };
}

/** What the engine's many small objects take, of each thread. */
const THREAD_BYTES = 4 * 1024 * 1024;

/**
 * An upper bound of the memory, in bytes, that deltas from a base of `baseBytes` bytes take, made by `threads` threads.
 * With the WebAssembly engine a process keeps what its largest deltas took, and makes the next ones in it.
 */
export function deltaMemoryBytes(baseBytes: number, effort: DeltaEffort, threads = 1): number {
  const start = 65536;
  return (
    layOutArena(start, baseBytes, deltaParameters(baseBytes, effort), usualTuning(effort), threads).end +
    threads * THREAD_BYTES
  );
}

/**
 * Writes the librsync delta that makes the target from the base, in this thread, and blocks until it is done. Its bytes
 * depend on the two files and the effort alone (docs/delta-algorithm.md is the exact rule). Progress counts bytes of
 * base and target. Reads both files about once. Memory: {@link deltaMemoryBytes}. Leaves no file behind when it fails.
 *
 * @throws UpdateRepositoryError DELTA_TOO_LARGE, CONFIG (the chosen engine cannot be had), CHANGED_WHILE_READ, MEMORY, INTERRUPTED, NOT_FOUND, NO_SPACE, IO
 */
export function generateDelta(
  request: DeltaRequest,
  hooks: DeltaHooks = {},
  tuning: Partial<EngineTuning> = {},
): DeltaStatistics {
  const { basePath, targetPath, deltaPath, effort, maxDeltaBytes = Number.POSITIVE_INFINITY } = request;
  const session = new BaseSession(basePath, effort, { ...usualTuning(effort), ...tuning }, 1);
  let done = 0;
  const run = (part: DeltaPart): void =>
    runDeltaPart(part, (bytes, path) => {
      done += bytes;
      reportProgress(done, path, hooks);
    });
  try {
    runSteps(session.index(), run);
    return runSteps(session.delta({ targetPath, path: deltaPath, maxDeltaBytes, sync: true }), run);
  } finally {
    session.close();
  }
}
