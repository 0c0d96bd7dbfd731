import fs from 'node:fs';
import { UpdateRepositoryError } from '../errors.js';
import { type Arena, arenaBuffer, takeArena } from './arena.js';
import { type DeltaPart, joinerOf, queueOf, type SharedDelta, type SharedWork } from './delta-part.js';
import type { DeltaStatistics } from './encode.js';
import type { EngineTuning } from './engine.js';
import { type DeltaEffort, deltaParameters } from './parameters.js';
import { PositionedFile } from './positioned-file.js';
import { BaseRuns } from './runs.js';
import { SourceFile, type SourceState } from './source-file.js';
import type { Steps } from './steps.js';

/** A delta that is to be made. */
export type WantedDelta = Omit<SharedDelta, 'target'> & { readonly targetPath: string };

/**
 * The work with one base, as steps that a caller runs where it likes: index it once, then make any number of deltas from
 * it, one after the other. Whoever runs a part that fails throws the error back into the steps.
 */
export class BaseSession {
  readonly #arena: Arena;
  readonly #work: SharedWork;
  #memoryIsOurs = true;

  /** @throws UpdateRepositoryError NOT_FOUND, IO, MEMORY, or CONFIG (the chosen engine cannot be had) */
  constructor(basePath: string, effort: DeltaEffort, tuning: EngineTuning, threads: number) {
    const base = stateOf(basePath);
    const parameters = deltaParameters(base.sizeBytes, effort);
    this.#arena = takeArena(base.sizeBytes, parameters, tuning, threads);
    const { memory, layout } = this.#arena;
    this.#work = { base, parameters, tuning, memory, layout };
  }

  /** Which engine it is. */
  get engine(): 'wasm' | 'js' {
    return this.#work.memory.engine;
  }

  /** Why it is not WebAssembly where `auto` was asked for. */
  get fallbackReason(): string | null {
    return this.#arena.fallback?.message ?? null;
  }

  *index(): Steps<void> {
    const work = this.#work;
    yield [{ kind: 'clear', work }];
    const runs = work.layout.threads.map((thread) => new BaseRuns(arenaBuffer(work.memory), thread.runs));
    for (const noted of runs) noted.clear();
    queueOf(work, work.base).reset();
    // Without locks only one thread may fill the table.
    const threads = work.memory.engine === 'wasm' ? work.layout.threads.length : 1;
    yield Array.from({ length: threads }, (_, thread) => ({ kind: 'index' as const, work, thread }));
    const baseRuns = new BaseRuns(arenaBuffer(work.memory), work.layout.baseRuns);
    baseRuns.clear();
    for (const noted of runs) baseRuns.merge(noted);
  }

  /** Makes a delta at `path`, where nothing may be; leaves nothing there when it fails. */
  *delta({ targetPath, ...wanted }: WantedDelta): Steps<DeltaStatistics> {
    const work = this.#work;
    const delta: SharedDelta = { target: stateOf(targetPath), ...wanted };
    const { path } = delta;
    const file = PositionedFile.create(path);
    try {
      const joiner = joinerOf(work, delta, file);
      joiner.start();
      queueOf(work, delta.target).reset();
      yield work.layout.threads.map((_, thread) => ({ kind: 'match' as const, work, thread, delta }));
      yield [{ kind: 'finish', work, delta }];
      return joiner.statistics();
    } catch (error) {
      fs.rmSync(path, { force: true });
      throw error;
    } finally {
      file.close();
    }
  }

  /** Is told of each part that failed, while others may still run: they stop, rather than wait for it. */
  partFailed(part: DeltaPart, error: unknown): void {
    if ('thread' in part) queueOf(this.#work, part.kind === 'index' ? part.work.base : part.delta.target).stop();
    // A thread that was ended from outside may be in a system call that still writes into the memory.
    this.#memoryIsOurs &&= error instanceof UpdateRepositoryError;
  }

  /** Ends the session, when no part of it is running any more: its memory then serves the next one. */
  close(): void {
    if (this.#memoryIsOurs) this.#arena.release();
  }
}

function stateOf(path: string): SourceState {
  const file = new SourceFile(path);
  try {
    return file.state;
  } finally {
    file.close();
  }
}
