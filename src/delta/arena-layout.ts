import { PAGE_OVERLAP_BYTES } from './base-pages.js';
import { ENCODED_SEGMENT_BYTES } from './encoded-segment.js';
import type { EngineTuning } from './engine.js';
import { BUCKET_BYTES, type DeltaParameters, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import { RUNS_BYTES } from './runs.js';
import { JOINER_BYTES } from './segment-joiner.js';
import { queueBytes } from './segment-queue.js';

/** Sizes of the structures in native/abi.h. */
const CORE_BYTES = 96;
const KEY_BYTES = 12;
const TABLE_LOCKS = 65536;

const LINE_BYTES = 64;
const STACK_BYTES = 16384;

/** As many copies as a segment can have: those that hold an anchor, and all with at least FILL_MIN bytes. */
const MATCHED_MAX = SEGMENT_BYTES / WINDOW_BYTES;
const FILLED_MAX = Math.ceil(SEGMENT_BYTES / 10);

/** Addresses of what one thread has for itself; native/abi.h describes what `struct core` points at. */
export interface ThreadLayout {
  /** Longest runs in what the thread indexed. */
  readonly runs: number;
  /** All from here on is the C core's; the TypeScript engine has its own. */
  readonly stackTop: number;
  readonly core: number;
  readonly segment: number;
  readonly anchors: number;
  readonly keys: number;
  readonly matchedStarts: number;
  readonly matchedLengths: number;
  readonly matchedPositions: number;
  readonly filledStarts: number;
  readonly filledLengths: number;
  readonly filledPositions: number;
  readonly found: number;
  readonly pages: number;
  readonly cache: number;
}

/** Addresses of all that the threads working with one base share, and the numbers that go with them. */
export interface ArenaLayout {
  readonly queue: number;
  readonly joiner: number;
  /** Longest runs of the whole base. */
  readonly baseRuns: number;
  /** Segments that are encoded and not written yet. */
  readonly slots: readonly number[];
  readonly threads: readonly ThreadLayout[];
  /** 0 where one thread indexes the base. */
  readonly locks: number;
  /** The last area, because its size depends on the base. */
  readonly table: number;
  /** Where memory may end. */
  readonly end: number;
  readonly pageShift: number;
  readonly pageSlots: number;
}

/** Lays the areas for one base and `threads` threads out, from the address `start` on. */
export function layOutArena(
  start: number,
  baseBytes: number,
  parameters: DeltaParameters,
  tuning: EngineTuning,
  threads: number,
): ArenaLayout {
  let next = start;
  const area = (sizeBytes: number): number => {
    const address = Math.ceil(next / LINE_BYTES) * LINE_BYTES;
    next = address + sizeBytes;
    return address;
  };
  const pageShift = 31 - Math.clz32(tuning.pageBytes);
  const pageSlots = Math.min(tuning.maxPages, Math.floor(baseBytes / 2 ** pageShift) + 1);
  const slotCount = threads === 1 ? 1 : tuning.slotsPerThread * threads;
  return {
    queue: area(queueBytes(slotCount)),
    joiner: area(JOINER_BYTES),
    baseRuns: area(RUNS_BYTES),
    slots: Array.from({ length: slotCount }, () => area(ENCODED_SEGMENT_BYTES)),
    threads: Array.from({ length: threads }, () => layOutThread(area, tuning.batchBytes, pageShift, pageSlots)),
    locks: threads === 1 ? 0 : area(4 * TABLE_LOCKS),
    table: area(parameters.buckets * BUCKET_BYTES),
    end: next,
    pageShift,
    pageSlots,
  };
}

function layOutThread(
  area: (sizeBytes: number) => number,
  batchBytes: number,
  pageShift: number,
  pageSlots: number,
): ThreadLayout {
  return {
    runs: area(RUNS_BYTES),
    stackTop: area(STACK_BYTES) + STACK_BYTES,
    core: area(CORE_BYTES),
    segment: area(SEGMENT_BYTES + WINDOW_BYTES),
    anchors: area(batchBytes * 4),
    keys: area(batchBytes * KEY_BYTES),
    matchedStarts: area(MATCHED_MAX * 4),
    matchedLengths: area(MATCHED_MAX * 4),
    matchedPositions: area(MATCHED_MAX * 8),
    filledStarts: area(FILLED_MAX * 4),
    filledLengths: area(FILLED_MAX * 4),
    filledPositions: area(FILLED_MAX * 8),
    found: area(2 * FILLED_MAX * 4),
    pages: area(pageSlots * 8),
    cache: area(pageSlots * (2 ** pageShift + PAGE_OVERLAP_BYTES)),
  };
}

/** The words of a thread's `struct core` that follow its first member, in their order. */
export function coreWords(
  layout: ArenaLayout,
  thread: ThreadLayout,
  { sampleBits, buckets }: DeltaParameters,
  batchBytes: number,
): number[] {
  return [
    sampleBits,
    buckets,
    batchBytes,
    layout.pageShift,
    layout.pageSlots,
    layout.table,
    layout.locks,
    thread.runs,
    layout.baseRuns,
    thread.segment,
    thread.anchors,
    thread.keys,
    thread.matchedStarts,
    thread.matchedLengths,
    thread.matchedPositions,
    thread.filledStarts,
    thread.filledLengths,
    thread.filledPositions,
    thread.found,
    thread.pages,
    thread.cache,
  ];
}
