import { BasePages } from './base-pages.js';
import { allocateBlock, type ByteBlock } from './byte-block.js';
import type { Copies } from './copy-list.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { GapFiller } from './fill-gaps.js';
import { type BaseIndex, type IndexScratch, indexSegment, makeBaseIndex, makeIndexScratch } from './index-base.js';
import { SegmentMatcher, type TargetSegment } from './match.js';
import { type DeltaParameters, SEGMENT_BYTES } from './parameters.js';
import type { BaseRuns } from './runs.js';
import type { SourceFile } from './source-file.js';

/** The engine in TypeScript: it runs everywhere, and the one in C is held to its bytes. */
export class JsEngine implements DeltaEngine {
  readonly segment: ByteBlock;
  readonly #base: SourceFile;
  readonly #index: BaseIndex;
  readonly #scratch: IndexScratch;
  readonly #matcher: SegmentMatcher;
  readonly #filler: GapFiller;

  /** @throws UpdateRepositoryError MEMORY */
  constructor(base: SourceFile, targetBytes: number, parameters: DeltaParameters, tuning: EngineTuning) {
    const pages = new BasePages(base, tuning.pageBytes, tuning.maxPages);
    this.#base = base;
    this.#index = makeBaseIndex(parameters);
    this.#scratch = makeIndexScratch(tuning.batchBytes, base.sizeBytes);
    this.#matcher = new SegmentMatcher(this.#index, pages, tuning.batchBytes);
    this.#filler = new GapFiller(pages);
    this.segment = allocateBlock(Math.min(SEGMENT_BYTES, targetBytes));
  }

  indexSegment(start: number): void {
    indexSegment(this.#base, start, this.#index, this.#scratch);
  }

  baseRuns(): BaseRuns {
    return this.#index.runs;
  }

  match(segment: TargetSegment): Copies {
    return this.#filler.fill(segment, this.#matcher.match(segment));
  }

  release(): void {
    // The collector takes the memory.
  }
}
