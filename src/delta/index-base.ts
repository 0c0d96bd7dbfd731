import type { AnchorTable } from './anchor-table.js';
import { AnchorWalk } from './anchor-walk.js';
import { allocateBlock, type ByteBlock } from './byte-block.js';
import { INDEXED_BASE_BYTES, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import { type BaseRuns, nextRun, type Run } from './runs.js';
import type { SourceFile } from './source-file.js';

/** What is known of a base: where its anchors are, and its longest runs. */
export interface BaseIndex {
  readonly sampleBits: number;
  readonly table: AnchorTable;
  readonly runs: BaseRuns;
}

/** Memory that indexing works in, made once for all segments of a base: at most a MiB and a little. */
export interface IndexScratch {
  readonly segment: ByteBlock;
  readonly walk: AnchorWalk;
  readonly batchWindows: number;
  readonly run: Run;
}

export function makeIndexScratch(index: BaseIndex, batchWindows: number, baseBytes: number): IndexScratch {
  return {
    segment: allocateBlock(Math.min(SEGMENT_BYTES + WINDOW_BYTES, baseBytes)),
    walk: new AnchorWalk({ sampleBits: index.sampleBits, buckets: index.table.buckets }, batchWindows),
    batchWindows,
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
  const { walk, batchWindows } = scratch;
  walk.begin(scratch.segment, end);
  for (let from = 0; from < end; ) {
    from = walk.batch(0, from, batchWindows);
    index.table.touch(walk.keys);
    index.table.insert(walk.keys, start);
  }
  noteRuns(start, length, index.runs, scratch);
}

function noteRuns(origin: number, length: number, runs: BaseRuns, { segment, run }: IndexScratch): void {
  for (let from = 0; nextRun(segment, from, length, run); from = run.end) {
    runs.note(segment.bytes[run.start]!, origin + run.start, run.end - run.start);
  }
}
