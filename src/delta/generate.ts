import { BasePages, PAGE_OVERLAP_BYTES } from './base-pages.js';
import { allocateBlock } from './byte-block.js';
import { type DeltaStatistics, DeltaWriter } from './encode.js';
import { GapFiller } from './fill-gaps.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { type BaseIndex, indexSegment, makeBaseIndex, makeIndexScratch } from './index-base.js';
import { SegmentMatcher } from './match.js';
import { OutputFile } from './output-file.js';
import { BUCKET_BYTES, type DeltaEffort, deltaParameters, SEGMENT_BYTES } from './parameters.js';
import { SourceFile } from './source-file.js';
import { writeSegment } from './write-segment.js';

export type { DeltaStatistics } from './encode.js';
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

/** How the engine cuts its work. None of it changes a byte of the delta; tests say so by varying it. */
export interface EngineTuning {
  /** Windows that are sampled and looked up together. */
  readonly batchBytes: number;
  /** The cache of base pages. */
  readonly pageBytes: number;
  readonly maxPages: number;
}

const TUNING: EngineTuning = { batchBytes: 8192, pageBytes: 65536, maxPages: 128 };

/** Buffers for segments, copies, batches and output, with some room for the engine's many small objects. */
const FIXED_BYTES = 16 * 1024 * 1024;

/** An upper bound of the memory, in bytes, that {@link generateDelta} takes for a base of `baseBytes` bytes. */
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
 * @throws UpdateRepositoryError DELTA_TOO_LARGE, CHANGED_WHILE_READ, MEMORY, INTERRUPTED, NOT_FOUND, NO_SPACE, IO
 */
export function generateDelta(
  request: DeltaRequest,
  hooks: DeltaHooks = {},
  tuning: EngineTuning = TUNING,
): DeltaStatistics {
  const base = new SourceFile(request.basePath);
  try {
    const target = new SourceFile(request.targetPath);
    try {
      return writeDeltaFile({ base, target, hooks, tuning }, request);
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
    const index = makeBaseIndex(deltaParameters(work.base.sizeBytes, effort));
    const writer = new DeltaWriter((bytes) => delta.write(bytes), deltaPath, maxDeltaBytes);
    indexBase(work, index);
    writeCommands(work, index, writer);
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

function indexBase({ base, hooks, tuning }: DeltaWork, index: BaseIndex): void {
  const scratch = makeIndexScratch(tuning.batchBytes, base.sizeBytes);
  for (let start = 0; start < base.sizeBytes; start += SEGMENT_BYTES) {
    indexSegment(base, start, index, scratch);
    reportProgress(Math.min(start + SEGMENT_BYTES, base.sizeBytes), base.path, hooks);
  }
}

function writeCommands({ base, target, hooks, tuning }: DeltaWork, index: BaseIndex, writer: DeltaWriter): void {
  const pages = new BasePages(base, tuning.pageBytes, tuning.maxPages);
  const matcher = new SegmentMatcher(index, pages, tuning.batchBytes);
  const filler = new GapFiller(pages);
  const block = allocateBlock(Math.min(SEGMENT_BYTES, target.sizeBytes));
  for (let start = 0; start < target.sizeBytes; start += SEGMENT_BYTES) {
    const segment = { block, start, length: Math.min(SEGMENT_BYTES, target.sizeBytes - start) };
    target.read(block.bytes, 0, segment.length, start);
    writeSegment(segment, filler.fill(segment, matcher.match(segment)), index.runs, writer);
    reportProgress(base.sizeBytes + start + segment.length, target.path, hooks);
  }
}
