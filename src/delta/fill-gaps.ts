import { type BasePages, PAGE_OVERLAP_BYTES } from './base-pages.js';
import type { ByteBlock } from './byte-block.js';
import { CopyList } from './copy-list.js';
import type { TargetSegment } from './match.js';

/** How far past the last equal bytes of a diagonal the next ones are looked for. */
const REACH_BYTES = 256;
/** Fewer equal bytes are not worth the two commands that a copy between literals takes. */
const FILL_MIN_BYTES = 10;
/** The same where the copy's offset takes eight bytes instead of four. */
const FAR_FILL_MIN_BYTES = 14;
const FAR_POSITION = 2 ** 32;

/**
 * Finds short copies in the gaps between those of {@link SegmentMatcher}: bytes that differ here and there, such as
 * addresses in programs, leave stretches on the diagonals of the copies around a gap that are equal, but too short to
 * hold an anchor.
 */
export class GapFiller {
  readonly #base: BasePages;
  readonly #filled = new CopyList();
  /** Starts and ends of the copies that a backward search finds, in descending order; empty between searches. */
  readonly #found: number[] = [];
  #block: ByteBlock;

  constructor(base: BasePages) {
    this.#base = base;
    this.#block = base.cache;
  }

  /** The given copies of a segment and those between them, in a list that the next call uses again. */
  fill(segment: TargetSegment, copies: CopyList): CopyList {
    const filled = this.#filled;
    this.#block = segment.block;
    filled.count = 0;
    let diagonal = segment.start;
    for (let n = 0; n < copies.count; n += 1) {
      const start = copies.starts[n]!;
      const position = copies.positions[n]!;
      const from = this.#fillForward(filled.end(), start, diagonal);
      diagonal = position - start;
      this.#fillBackward(from, start, diagonal);
      filled.push(start, position, copies.lengths[n]!);
    }
    this.#fillForward(filled.end(), segment.length, diagonal);
    return filled;
  }

  /** Adds copies on the diagonal of the copy before the gap [from, to); returns where the rest of the gap starts. */
  #fillForward(from: number, to: number, diagonal: number): number {
    const least = from + diagonal < FAR_POSITION ? FILL_MIN_BYTES : FAR_FILL_MIN_BYTES;
    for (let gapStart = from; ; ) {
      const start = this.#firstEqual(gapStart, to, diagonal, least);
      if (start < 0) return gapStart;
      const known = start + least;
      const end = known + this.#base.equalAfter(this.#block, known, known + diagonal, to - known);
      this.#filled.push(start, start + diagonal, end - start);
      gapStart = end;
    }
  }

  /** Adds copies on the diagonal of the copy after the gap [from, to). */
  #fillBackward(from: number, to: number, diagonal: number): void {
    const least = to + diagonal < FAR_POSITION ? FILL_MIN_BYTES : FAR_FILL_MIN_BYTES;
    const found = this.#found;
    for (let gapEnd = to; ; ) {
      const end = this.#lastEqual(from, gapEnd, diagonal, least);
      if (end < 0) break;
      const known = end - least;
      gapEnd = known - this.#base.equalBefore(this.#block, known, known + diagonal, known - from);
      found.push(gapEnd, end);
    }
    while (found.length > 0) {
      const end = found.pop()!;
      const start = found.pop()!;
      this.#filled.push(start, start + diagonal, end - start);
    }
  }

  /** The lowest place in reach of `from` where at least `least` bytes before `to` are equal, or -1. */
  #firstEqual(from: number, to: number, diagonal: number, least: number): number {
    const position = from + diagonal;
    const span = Math.min(REACH_BYTES + least, to - from, this.#base.sizeBytes - position);
    if (span < least) return -1;
    const target = this.#block.bytes;
    const base = this.#base.cache.bytes;
    const shift = this.#base.locate(position) - from;
    this.#base.comparedBytes += span;
    // No equal stretch starts before `start`: so look at the last byte that one from there must have, and go back.
    for (let start = from; start + least <= from + span; ) {
      let at = start + least - 1;
      while (at >= start && target[at] === base[at + shift]) at -= 1;
      if (at < start) return start;
      start = at + 1;
    }
    return -1;
  }

  /** The highest place in reach of `to` before which at least `least` bytes from `from` on are equal, or -1. */
  #lastEqual(from: number, to: number, diagonal: number, least: number): number {
    const span = Math.min(REACH_BYTES + least, to - from, to + diagonal);
    if (span < least) return -1;
    const target = this.#block.bytes;
    const base = this.#base.cache.bytes;
    const shift = this.#base.locate(to + diagonal - span) - (to - span);
    this.#base.comparedBytes += span;
    for (let end = to; end - least >= to - span; ) {
      let at = end - least;
      while (at < end && target[at] === base[at + shift]) at += 1;
      if (at === end) return end;
      end = at;
    }
    return -1;
  }
}

/** A search reads one page without crossing it. */
if (REACH_BYTES + FAR_FILL_MIN_BYTES > PAGE_OVERLAP_BYTES) throw new RangeError('PAGE_OVERLAP_BYTES is too small');
