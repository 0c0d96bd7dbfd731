import { PAGE_OVERLAP_BYTES } from './base-pages.js';
import type { EngineTuning } from './engine.js';
import { BUCKET_BYTES, type DeltaParameters, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';

/** Sizes of the structures in native/abi.h. */
const CORE_BYTES = 88;
const KEY_BYTES = 12;
const LINE_BYTES = 64;

/** As many copies as a segment can have: those that hold an anchor, and all with at least FILL_MIN bytes. */
const MATCHED_MAX = SEGMENT_BYTES / WINDOW_BYTES;
const FILLED_MAX = Math.ceil(SEGMENT_BYTES / 10);

/** Addresses of the areas that native/abi.h describes, and the numbers that go with them. */
export interface WasmLayout {
  readonly core: number;
  readonly runs: number;
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
  /** The last area, because its size depends on the base. */
  readonly table: number;
  /** Where memory may end. */
  readonly end: number;
  readonly filledMax: number;
  readonly pageShift: number;
  readonly pageSlots: number;
}

/** Lays the areas of one delta out in memory, from the address `start` on. */
export function layOut(
  start: number,
  baseBytes: number,
  parameters: DeltaParameters,
  tuning: EngineTuning,
): WasmLayout {
  let next = start;
  const area = (sizeBytes: number): number => {
    const address = Math.ceil(next / LINE_BYTES) * LINE_BYTES;
    next = address + sizeBytes;
    return address;
  };
  const pageShift = 31 - Math.clz32(tuning.pageBytes);
  const pageSlots = Math.min(tuning.maxPages, Math.floor(baseBytes / 2 ** pageShift) + 1);
  return {
    core: area(CORE_BYTES),
    runs: area(2 * 256 * 8),
    segment: area(SEGMENT_BYTES + WINDOW_BYTES),
    anchors: area(tuning.batchBytes * 4),
    keys: area(tuning.batchBytes * KEY_BYTES),
    matchedStarts: area(MATCHED_MAX * 4),
    matchedLengths: area(MATCHED_MAX * 4),
    matchedPositions: area(MATCHED_MAX * 8),
    filledStarts: area(FILLED_MAX * 4),
    filledLengths: area(FILLED_MAX * 4),
    filledPositions: area(FILLED_MAX * 8),
    found: area(2 * FILLED_MAX * 4),
    pages: area(pageSlots * 8),
    cache: area(pageSlots * (2 ** pageShift + PAGE_OVERLAP_BYTES)),
    table: area(parameters.buckets * BUCKET_BYTES),
    end: next,
    filledMax: FILLED_MAX,
    pageShift,
    pageSlots,
  };
}

/** The words of a `struct core` that follow its first member, in their order. */
export function coreWords(layout: WasmLayout, { sampleBits, buckets }: DeltaParameters, batchBytes: number): number[] {
  return [
    sampleBits,
    buckets,
    batchBytes,
    layout.pageShift,
    layout.pageSlots,
    layout.table,
    layout.runs,
    layout.segment,
    layout.anchors,
    layout.keys,
    layout.matchedStarts,
    layout.matchedLengths,
    layout.matchedPositions,
    layout.filledStarts,
    layout.filledLengths,
    layout.filledPositions,
    layout.found,
    layout.pages,
    layout.cache,
  ];
}
