import type { AnchorTable } from './anchor-table.js';
import { allocateBlock, type ByteBlock, isConstant } from './byte-block.js';
import { KeyBatch, keyAnchors } from './key.js';
import { INDEXED_BASE_BYTES, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import { type BaseRuns, nextRun, type Run } from './runs.js';
import { sampleAnchors } from './sample.js';
import type { SourceFile } from './source-file.js';

/** What is known of a base: where its anchors are, and its longest runs. */
export interface BaseIndex {
  readonly sampleBits: number;
  readonly table: AnchorTable;
  readonly runs: BaseRuns;
}

/** Memory that indexing works in, made once for all segments of a base: at most 2 MiB and a little. */
export interface IndexScratch {
  readonly segment: ByteBlock;
  readonly anchors: Int32Array;
  readonly keys: KeyBatch;
  readonly run: Run;
}

export function makeIndexScratch(batchBytes: number, baseBytes: number): IndexScratch {
  return {
    segment: allocateBlock(Math.min(SEGMENT_BYTES + WINDOW_BYTES, baseBytes)),
    anchors: new Int32Array(batchBytes),
    keys: new KeyBatch(batchBytes),
    run: { start: 0, end: 0 },
  };
}

/**
 * Enters one segment of the base into the index: its runs, and the anchors whose windows start in
 * [start, start + SEGMENT_BYTES), where `start` is a multiple of SEGMENT_BYTES. Segments may be indexed in any order.
 */
export function indexSegment(base: SourceFile, start: number, index: BaseIndex, scratch: IndexScratch): void {
  const length = Math.min(SEGMENT_BYTES, base.sizeBytes - start);
  const readable = Math.min(length + WINDOW_BYTES - 1, base.sizeBytes - start);
  base.read(scratch.segment.bytes, 0, readable, start);
  const end = Math.min(length, readable - WINDOW_BYTES + 1, INDEXED_BASE_BYTES - start);
  const batchBytes = scratch.anchors.length;
  for (let from = 0; from < end; from += batchBytes) {
    indexBatch(start, from, Math.min(from + batchBytes, end), index, scratch);
  }
  noteRuns(start, length, index.runs, scratch);
}

function indexBatch(origin: number, from: number, to: number, index: BaseIndex, scratch: IndexScratch): void {
  const { segment, anchors, keys } = scratch;
  // All windows of a constant stretch have period 1 and would be dropped.
  if (isConstant(segment, from, to + WINDOW_BYTES - 1)) return;
  const count = sampleAnchors(segment.view, from, to, index.sampleBits, anchors);
  keyAnchors(segment.view, anchors, count, index.table.buckets, keys);
  index.table.touch(keys);
  index.table.insert(keys, origin);
}

function noteRuns(origin: number, length: number, runs: BaseRuns, { segment, run }: IndexScratch): void {
  for (let from = 0; nextRun(segment, from, length, run); from = run.end) {
    runs.note(segment.bytes[run.start]!, origin + run.start, run.end - run.start);
  }
}
