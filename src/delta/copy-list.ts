/**
 * The copies of one target segment in the order of the target, without overlaps. Parallel arrays, because there can be
 * very many: 16 bytes of memory each.
 */
export interface Copies {
  /** Where in the segment each copy starts. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** Where in the base it comes from. */
  readonly positions: Float64Array;
  readonly count: number;
}

/** Copies that are collected one by one. */
export class CopyList implements Copies {
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly positions: Float64Array;
  count = 0;

  constructor(capacity: number) {
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.positions = new Float64Array(capacity);
  }

  push(start: number, position: number, length: number): void {
    this.starts[this.count] = start;
    this.positions[this.count] = position;
    this.lengths[this.count] = length;
    this.count += 1;
  }

  /** Where in the segment the last copy ends; 0 when there is none. */
  end(): number {
    const last = this.count - 1;
    return last < 0 ? 0 : this.starts[last]! + this.lengths[last]!;
  }
}
