import { SEGMENT_BYTES } from './parameters.js';

/** A copy is at least this long. */
export const COPY_MIN_BYTES = 16;

/**
 * The copies of one target segment in the order of the target, without overlaps; what lies between them is in the
 * base nowhere that was looked. Parallel arrays, because a segment can have 131,072 of them: 2 MiB.
 */
export class CopyList {
  /** Where in the segment each copy starts. */
  readonly starts = new Int32Array(SEGMENT_BYTES / COPY_MIN_BYTES);
  readonly lengths = new Int32Array(SEGMENT_BYTES / COPY_MIN_BYTES);
  /** Where in the base it comes from. */
  readonly positions = new Float64Array(SEGMENT_BYTES / COPY_MIN_BYTES);
  count = 0;

  push(start: number, position: number, length: number): void {
    this.starts[this.count] = start;
    this.positions[this.count] = position;
    this.lengths[this.count] = length;
    this.count += 1;
  }

  /** Where in the segment the last copy but `skipped` ends; 0 when there is none. */
  endOf(skipped: number): number {
    const index = this.count - 1 - skipped;
    return index < 0 ? 0 : this.starts[index]! + this.lengths[index]!;
  }
}
