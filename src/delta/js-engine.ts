import { AnchorTable } from './anchor-table.js';
import type { ArenaLayout, ThreadLayout } from './arena-layout.js';
import { BasePages } from './base-pages.js';
import { allocateBlock, type ByteBlock } from './byte-block.js';
import { encodeSegment } from './encode-segment.js';
import { EncodedSegment } from './encoded-segment.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { GapFiller } from './fill-gaps.js';
import { type BaseIndex, type IndexScratch, indexSegment, makeIndexScratch } from './index-base.js';
import { SegmentMatcher } from './match.js';
import { type DeltaParameters, SEGMENT_BYTES } from './parameters.js';
import { BaseRuns } from './runs.js';
import type { SourceFile } from './source-file.js';

/** The memory of an arena and where a thread's things are in it. */
export interface JsPlace {
  readonly buffer: SharedArrayBuffer;
  readonly layout: ArenaLayout;
  readonly thread: ThreadLayout;
}

/** One thread of the engine in TypeScript: it runs everywhere, and the one in C is held to its bytes. */
export class JsEngine implements DeltaEngine {
  readonly #place: JsPlace;
  readonly #base: SourceFile;
  readonly #index: BaseIndex;
  readonly #baseRuns: BaseRuns;
  /** Each of them is there from its first use on: a thread indexes, or it matches. */
  #block: ByteBlock | undefined;
  #indexScratch: IndexScratch | undefined;
  readonly #matcher: SegmentMatcher;
  readonly #filler: GapFiller;
  readonly #batchWindows: number;

  constructor(place: JsPlace, base: SourceFile, { sampleBits, buckets }: DeltaParameters, tuning: EngineTuning) {
    const { buffer, layout, thread } = place;
    const pages = new BasePages(base, tuning.pageBytes, tuning.maxPages);
    const table = new AnchorTable(buffer, layout.table, buckets);
    this.#place = place;
    this.#base = base;
    this.#index = { sampleBits, table, runs: new BaseRuns(buffer, thread.runs) };
    this.#baseRuns = new BaseRuns(buffer, layout.baseRuns);
    this.#batchWindows = tuning.batchBytes;
    this.#matcher = new SegmentMatcher(this.#index, pages, tuning.batchBytes);
    this.#filler = new GapFiller(pages);
  }

  get segment(): Uint8Array {
    return this.#target().bytes;
  }

  indexSegment(start: number): void {
    this.#indexScratch ??= makeIndexScratch(this.#index, this.#batchWindows, this.#base.sizeBytes);
    indexSegment(this.#base, start, this.#index, this.#indexScratch);
  }

  match(start: number, length: number, slot: number): void {
    const { buffer, layout } = this.#place;
    const segment = { block: this.#target(), start, length };
    const copies = this.#filler.fill(segment, this.#matcher.match(segment));
    encodeSegment(segment, copies, this.#baseRuns, new EncodedSegment(buffer, layout.slots[slot]!));
  }

  #target(): ByteBlock {
    this.#block ??= allocateBlock(SEGMENT_BYTES);
    return this.#block;
  }
}
