import { type AnchorTable, NO_POSITION } from './anchor-table.js';
import { type BasePages, PAGE_OVERLAP_BYTES } from './base-pages.js';
import { type ByteBlock, isConstant } from './byte-block.js';
import { COPY_MIN_BYTES, CopyList } from './copy-list.js';
import { KeyBatch, keyAnchors } from './key.js';
import { WINDOW_BYTES } from './parameters.js';
import { sampleAnchors } from './sample.js';

/** After a copy, equal bytes on its diagonal are looked for within this distance. */
const RESUME_BYTES = 256;
/** A longer copy is left alone when a later one covers it. */
const SWALLOW_MAX_BYTES = 4096;
/** The first batch after a copy; while nothing matches the next ones grow. It does not change the result. */
const FIRST_BATCH_BYTES = 1024;

/** A stretch of the target in memory: `length` bytes at the start of `block`, which are the file's from `start` on. */
export interface TargetSegment {
  readonly block: ByteBlock;
  readonly start: number;
  readonly length: number;
}

/** Finds the copies of target segments, one at a time: what it finds in one depends on nothing that came before. */
export class SegmentMatcher {
  readonly #table: AnchorTable;
  readonly #base: BasePages;
  readonly #sampleBits: number;
  readonly #anchors: Int32Array;
  readonly #keys: KeyBatch;
  readonly #copies = new CopyList();

  #block: ByteBlock;
  #length = 0;
  /** Everything before it is decided. */
  #cursor = 0;
  /** Base position minus segment index of the last copy. */
  #diagonal = 0;

  /** `batchBytes`: how many windows are sampled and looked up together; it does not change the result. */
  constructor(table: AnchorTable, base: BasePages, sampleBits: number, batchBytes: number) {
    this.#table = table;
    this.#base = base;
    this.#sampleBits = sampleBits;
    this.#anchors = new Int32Array(batchBytes);
    this.#keys = new KeyBatch(batchBytes);
    this.#block = base.cache;
  }

  /** The copies of a segment, in a list that the next call uses again. */
  match(segment: TargetSegment): CopyList {
    this.#block = segment.block;
    this.#length = segment.length;
    this.#cursor = 0;
    this.#diagonal = segment.start;
    this.#copies.count = 0;
    this.#matchSameOffset();
    this.#matchAnchors();
    return this.#copies;
  }

  #matchSameOffset(): void {
    if (this.#diagonal >= this.#base.sizeBytes) return;
    const equal = this.#base.equalAfter(this.#block, 0, this.#diagonal, this.#length);
    if (equal >= COPY_MIN_BYTES) this.#emit(0, this.#diagonal, equal);
  }

  #matchAnchors(): void {
    const end = this.#length - WINDOW_BYTES + 1;
    const largest = this.#anchors.length;
    let size = Math.min(FIRST_BATCH_BYTES, largest);
    for (let from = this.#cursor; from < end; ) {
      const to = Math.min(from + size, end);
      this.#matchBatch(from, to);
      size = this.#cursor > from ? Math.min(FIRST_BATCH_BYTES, largest) : Math.min(2 * size, largest);
      from = Math.max(to, this.#cursor);
    }
  }

  #matchBatch(from: number, to: number): void {
    const block = this.#block;
    const keys = this.#keys;
    if (isConstant(block, from, to + WINDOW_BYTES - 1)) return;
    const count = sampleAnchors(block.bytes, from, to, this.#sampleBits, this.#anchors);
    keyAnchors(block.view, this.#anchors, count, this.#table.buckets, keys);
    this.#table.touch(keys);
    for (let n = 0; n < keys.count; n += 1) {
      if (keys.starts[n]! < this.#cursor) continue;
      const candidate = this.#table.find(keys.buckets[n]!, keys.tags[n]!);
      if (candidate !== NO_POSITION) this.#matchAnchor(keys.starts[n]!, candidate);
    }
  }

  /** Takes the window's place on the last copy's diagonal when it is equal there, else the table's candidate. */
  #matchAnchor(at: number, candidate: number): void {
    const onDiagonal = at + this.#diagonal;
    if (this.#windowEqual(at, onDiagonal)) this.#extend(at, onDiagonal);
    else if (candidate !== onDiagonal && this.#windowEqual(at, candidate)) this.#extend(at, candidate);
  }

  #windowEqual(at: number, position: number): boolean {
    if (position < 0 || position + WINDOW_BYTES > this.#base.sizeBytes) return false;
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
    const base = this.#base;
    const windowEnd = at + WINDOW_BYTES;
    const after = base.equalAfter(this.#block, windowEnd, position + WINDOW_BYTES, this.#length - windowEnd);
    const start = this.#extendBackward(at, position);
    this.#emit(start, position - (at - start), windowEnd + after - start);
  }

  /** Where the copy starts; short copies before it that it covers whole are dropped. */
  #extendBackward(at: number, position: number): number {
    const copies = this.#copies;
    const diagonal = position - at;
    let start = at;
    for (;;) {
      const limit = copies.endOf(0);
      start -= this.#base.equalBefore(this.#block, start, start + diagonal, start - limit);
      if (start > limit || copies.count === 0) return start;
      const length = copies.lengths[copies.count - 1]!;
      if (length > SWALLOW_MAX_BYTES) return start;
      if (this.#base.equalBefore(this.#block, start, start + diagonal, length) < length) return start;
      copies.count -= 1;
      start -= length;
    }
  }

  /** Adds a copy, and after it those on its diagonal that small differences keep from continuing it. */
  #emit(start: number, position: number, length: number): void {
    this.#diagonal = position - start;
    let at = start;
    let equal = length;
    for (;;) {
      this.#copies.push(at, at + this.#diagonal, equal);
      this.#cursor = at + equal;
      const next = this.#resumeAt(this.#cursor);
      if (next < 0) return;
      at = next;
      const rest = at + COPY_MIN_BYTES;
      equal = COPY_MIN_BYTES + this.#base.equalAfter(this.#block, rest, rest + this.#diagonal, this.#length - rest);
    }
  }

  /** The first of the next places on the diagonal where 16 bytes are equal, or -1. */
  #resumeAt(cursor: number): number {
    const position = cursor + this.#diagonal;
    const span = Math.min(RESUME_BYTES + COPY_MIN_BYTES, this.#length - cursor, this.#base.sizeBytes - position);
    if (span <= COPY_MIN_BYTES) return -1;
    const target = this.#block.bytes;
    const base = this.#base.cache.bytes;
    const where = this.#base.locate(position);
    let equal = 0;
    this.#base.comparedBytes += span;
    for (let i = 1; i < span; i += 1) {
      equal = target[cursor + i] === base[where + i] ? equal + 1 : 0;
      if (equal === COPY_MIN_BYTES) return cursor + i + 1 - COPY_MIN_BYTES;
    }
    return -1;
  }
}

/** The resume step reads one page without crossing it. */
if (RESUME_BYTES + COPY_MIN_BYTES > PAGE_OVERLAP_BYTES) throw new RangeError('PAGE_OVERLAP_BYTES is too small');
