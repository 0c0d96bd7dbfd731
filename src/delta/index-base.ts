import type { AnchorTable } from './anchor-table.js';
import { allocateBlock, type ByteBlock, isConstant } from './byte-block.js';
import { KeyBatch, keyAnchors } from './key.js';
import { INDEXED_BASE_BYTES, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import { type BaseRuns, nextRun, type Run } from './runs.js';
import { sampleAnchors } from './sample.js';
import type { SourceFile } from './source-file.js';

/** Memory that indexing works in, made once for any number of segments: 2 MiB and a little. */
export interface IndexScratch {
  readonly segment: ByteBlock;
  readonly anchors: Int32Array;
  readonly keys: KeyBatch;
  readonly run: Run;
}

export function makeIndexScratch(batchBytes: number): IndexScratch {
  return {
    segment: allocateBlock(SEGMENT_BYTES + WINDOW_BYTES),
    anchors: new Int32Array(batchBytes),
    keys: new KeyBatch(batchBytes),
    run: { start: 0, end: 0 },
  };
}

/**
 * Enters one segment of the base into the table and its runs into `runs`: the anchors whose windows start in
 * [start, start + SEGMENT_BYTES), where `start` is a multiple of SEGMENT_BYTES. Segments may be indexed in any order.
 */
export function indexSegment(
  base: SourceFile,
  start: number,
  sampleBits: number,
  table: AnchorTable,
  runs: BaseRuns,
  scratch: IndexScratch,
): void {
  const length = Math.min(SEGMENT_BYTES, base.sizeBytes - start);
  const readable = Math.min(length + WINDOW_BYTES - 1, base.sizeBytes - start);
  base.read(scratch.segment.bytes, 0, readable, start);
  const indexedEnd = Math.min(length, readable - WINDOW_BYTES + 1, INDEXED_BASE_BYTES - start);
  const { anchors } = scratch;
  for (let from = 0; from < indexedEnd; from += anchors.length) {
    indexBatch(start, from, Math.min(from + anchors.length, indexedEnd), sampleBits, table, scratch);
  }
  noteRuns(start, length, runs, scratch);
}

function indexBatch(
  origin: number,
  from: number,
  to: number,
  sampleBits: number,
  table: AnchorTable,
  { segment, anchors, keys }: IndexScratch,
): void {
  // All windows of a constant stretch have period 1 and would be dropped.
  if (isConstant(segment, from, to + WINDOW_BYTES - 1)) return;
  const count = sampleAnchors(segment.view, from, to, sampleBits, anchors);
  keyAnchors(segment.view, anchors, count, table.buckets, keys);
  table.touch(keys);
  table.insert(keys, origin);
}

function noteRuns(origin: number, length: number, runs: BaseRuns, { segment, run }: IndexScratch): void {
  for (let from = 0; nextRun(segment, from, length, run); from = run.end) {
    runs.note(segment.bytes[run.start]!, origin + run.start, run.end - run.start);
  }
}
