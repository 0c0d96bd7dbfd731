import { PAGE_OVERLAP_BYTES } from './base-pages.js';
import { chooseEngine } from './choose-engine.js';
import { type DeltaStatistics, DeltaWriter } from './encode.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { OutputFile } from './output-file.js';
import { BUCKET_BYTES, type DeltaEffort, deltaParameters, SEGMENT_BYTES } from './parameters.js';
import { SourceFile } from './source-file.js';
import { writeSegment } from './write-segment.js';

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

const TUNING: EngineTuning = { engine: 'auto', batchBytes: 8192, pageBytes: 65536, maxPages: 128 };

/** Buffers for segments, copies, batches and output, with some room for the engine's many small objects. */
const FIXED_BYTES = 16 * 1024 * 1024;

/**
 * An upper bound of the memory, in bytes, that {@link generateDelta} takes for a base of `baseBytes` bytes. With the
 * WebAssembly engine a thread keeps what the largest of its deltas took, and makes the next ones in it.
 */
export function deltaMemoryBytes(baseBytes: number, effort: DeltaEffort): number {
  const table = deltaParameters(baseBytes, effort).buckets * BUCKET_BYTES;
  return table + TUNING.maxPages * (TUNING.pageBytes + PAGE_OVERLAP_BYTES) + FIXED_BYTES;
}

/**
 * Writes the librsync delta that makes the target from the base. Its bytes depend on the two files and the effort
 * alone (docs/delta-algorithm.md is the exact rule). Progress counts bytes of base and target. Reads both files about
 * once and blocks until it is done: it is meant for a worker thread. Memory: {@link deltaMemoryBytes}. Leaves no file
 * behind when it fails.
 *
 * @throws UpdateRepositoryError DELTA_TOO_LARGE, CONFIG (the chosen engine cannot be had), CHANGED_WHILE_READ, MEMORY, INTERRUPTED, NOT_FOUND, NO_SPACE, IO
 */
export function generateDelta(
  request: DeltaRequest,
  hooks: DeltaHooks = {},
  tuning: Partial<EngineTuning> = {},
): DeltaStatistics {
  const base = new SourceFile(request.basePath);
  try {
    const target = new SourceFile(request.targetPath);
    try {
      return writeDeltaFile({ base, target, hooks, tuning: { ...TUNING, ...tuning } }, request);
    } finally {
      target.close();
    }
  } finally {
    base.close();
  }
}

/** What a run of the engine works on, and how. */
interface DeltaWork {
  readonly base: SourceFile;
  readonly target: SourceFile;
  readonly hooks: DeltaHooks;
  readonly tuning: EngineTuning;
}

function writeDeltaFile(work: DeltaWork, { deltaPath, effort, maxDeltaBytes }: DeltaRequest): DeltaStatistics {
  const delta = new OutputFile(deltaPath);
  try {
    const writer = new DeltaWriter((bytes) => delta.write(bytes), deltaPath, maxDeltaBytes);
    runEngine(work, effort, writer);
    const statistics = writer.finish();
    work.base.assertUnchanged();
    work.target.assertUnchanged();
    delta.complete();
    return statistics;
  } catch (error) {
    delta.discard();
    throw error;
  }
}

function runEngine(work: DeltaWork, effort: DeltaEffort, writer: DeltaWriter): void {
  const { base, target, tuning } = work;
  const engine = chooseEngine(base, target.sizeBytes, deltaParameters(base.sizeBytes, effort), tuning);
  try {
    indexBase(work, engine);
    writeCommands(work, engine, writer);
  } finally {
    engine.release();
  }
}

function indexBase({ base, hooks }: DeltaWork, engine: DeltaEngine): void {
  for (let start = 0; start < base.sizeBytes; start += SEGMENT_BYTES) {
    engine.indexSegment(start);
    reportProgress(Math.min(start + SEGMENT_BYTES, base.sizeBytes), base.path, hooks);
  }
}

function writeCommands({ base, target, hooks }: DeltaWork, engine: DeltaEngine, writer: DeltaWriter): void {
  const runs = engine.baseRuns();
  const block = engine.segment;
  for (let start = 0; start < target.sizeBytes; start += SEGMENT_BYTES) {
    const segment = { block, start, length: Math.min(SEGMENT_BYTES, target.sizeBytes - start) };
    target.read(block.bytes, 0, segment.length, start);
    writeSegment(segment, engine.match(segment), runs, writer);
    reportProgress(base.sizeBytes + start + segment.length, target.path, hooks);
  }
}
