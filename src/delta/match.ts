import { type AnchorTable, NO_POSITION } from './anchor-table.js';
import { AnchorWalk } from './anchor-walk.js';
import type { BasePages } from './base-pages.js';
import type { ByteBlock } from './byte-block.js';
import { CopyList } from './copy-list.js';
import type { BaseIndex } from './index-base.js';
import { WINDOW_BYTES } from './parameters.js';

/** A longer copy is left alone when a later one covers it. */
const SWALLOW_MAX_BYTES = 4096;
/** From this length on a copy's diagonal is remembered over shorter copies from elsewhere. */
const LONG_COPY_BYTES = 512;
/** The first batch after a copy; while nothing matches the next ones grow. It does not change the result. */
const FIRST_BATCH_WINDOWS = 1024;

/** A stretch of the target in memory: `length` bytes at the start of `block`, which are the file's from `start` on. */
export interface TargetSegment {
  readonly block: ByteBlock;
  readonly start: number;
  readonly length: number;
}

/**
 * Finds the copies of target segments that contain an anchor, one segment at a time: what it finds in one depends on
 * nothing that came before. A *diagonal* is a base position minus the place in the segment that is copied from there.
 */
export class SegmentMatcher {
  readonly #table: AnchorTable;
  readonly #base: BasePages;
  readonly #walk: AnchorWalk;
  readonly #batchWindows: number;
  readonly #copies = new CopyList();

  #block: ByteBlock;
  #length = 0;
  /** The diagonal of the last copy, and of the last long one. */
  #diagonal = 0;
  #longDiagonal = 0;

  /** `batchWindows`: how many windows are sampled and looked up together; it does not change the result. */
  constructor(index: BaseIndex, base: BasePages, batchWindows: number) {
    this.#table = index.table;
    this.#base = base;
    this.#walk = new AnchorWalk({ sampleBits: index.sampleBits, buckets: index.table.buckets }, batchWindows);
    this.#batchWindows = batchWindows;
    this.#block = base.cache;
  }

  /** The copies of a segment, in a list that the next call uses again. */
  match(segment: TargetSegment): CopyList {
    this.#block = segment.block;
    this.#length = segment.length;
    this.#diagonal = segment.start;
    this.#longDiagonal = segment.start;
    this.#copies.count = 0;
    if (this.#windowEqual(0, segment.start)) this.#extend(0, segment.start);
    this.#matchAnchors();
    return this.#copies;
  }

  #matchAnchors(): void {
    const end = this.#length - WINDOW_BYTES + 1;
    const first = Math.min(FIRST_BATCH_WINDOWS, this.#batchWindows);
    this.#walk.begin(this.#block, end);
    let size = first;
    for (let from = this.#copies.end(); from < end; ) {
      const to = this.#walk.batch(this.#copies.end(), from, size);
      this.#matchKeys();
      const copied = this.#copies.end();
      size = copied > from ? first : Math.min(2 * size, this.#batchWindows);
      from = Math.max(to, copied);
    }
  }

  #matchKeys(): void {
    const { keys } = this.#walk;
    this.#table.touch(keys);
    let copied = this.#copies.end();
    for (let n = 0; n < keys.count; n += 1) {
      const at = keys.starts[n]!;
      if (at < copied) continue;
      const candidate = this.#table.find(keys.buckets[n]!, keys.tags[n]!);
      if (candidate === NO_POSITION) continue;
      this.#matchAnchor(at, candidate);
      copied = this.#copies.end();
    }
  }

  /** Takes the window from a diagonal that was in use when it is equal there, else from the table's candidate. */
  #matchAnchor(at: number, candidate: number): void {
    const onDiagonal = at + this.#diagonal;
    const onLongDiagonal = at + this.#longDiagonal;
    if (this.#windowEqual(at, onDiagonal)) this.#extend(at, onDiagonal);
    else if (onLongDiagonal !== onDiagonal && this.#windowEqual(at, onLongDiagonal)) this.#extend(at, onLongDiagonal);
    else if (this.#windowEqual(at, candidate)) this.#extend(at, candidate);
  }

  /** Whether the window at `at` lies in the segment, that at `position` in the base, and they are equal. */
  #windowEqual(at: number, position: number): boolean {
    if (at + WINDOW_BYTES > this.#length || position < 0 || position + WINDOW_BYTES > this.#base.sizeBytes)
      return false;
    this.#base.comparedBytes += WINDOW_BYTES;
    const target = this.#block.view;
    const base = this.#base.cache.view;
    const where = this.#base.locate(position);
    for (let i = 0; i < WINDOW_BYTES; i += 4) {
      if (target.getInt32(at + i, true) !== base.getInt32(where + i, true)) return false;
    }
    return true;
  }

  /** Makes the copy that contains the equal windows at `at` and `position`, as long as it gets both ways. */
  #extend(at: number, position: number): void {
    const diagonal = position - at;
    const windowEnd = at + WINDOW_BYTES;
    const rest = this.#length - windowEnd;
    const end = windowEnd + this.#base.equalAfter(this.#block, windowEnd, windowEnd + diagonal, rest);
    const start = this.#extendBackward(at, diagonal);
    this.#copies.push(start, start + diagonal, end - start);
    this.#diagonal = diagonal;
    if (end - start >= LONG_COPY_BYTES) this.#longDiagonal = diagonal;
  }

  /** Where the copy starts; short copies before it that it covers whole are dropped. */
  #extendBackward(at: number, diagonal: number): number {
    const copies = this.#copies;
    let start = at;
    for (;;) {
      const limit = copies.end();
      start -= this.#base.equalBefore(this.#block, start, start + diagonal, start - limit);
      if (start > limit || copies.count === 0) return start;
      const length = copies.lengths[copies.count - 1]!;
      if (length > SWALLOW_MAX_BYTES) return start;
      if (this.#base.equalBefore(this.#block, start, start + diagonal, length) < length) return start;
      copies.count -= 1;
      start -= length;
    }
  }
}
