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

const FIRST_CAPACITY = 256;

/** Copies that are collected one by one; the arrays are others when the list has grown. */
export class CopyList implements Copies {
  starts = new Int32Array(FIRST_CAPACITY);
  lengths = new Int32Array(FIRST_CAPACITY);
  positions = new Float64Array(FIRST_CAPACITY);
  count = 0;

  push(start: number, position: number, length: number): void {
    if (this.count === this.starts.length) this.#grow();
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

  #grow(): void {
    const { starts, lengths, positions } = this;
    const capacity = 2 * starts.length;
    this.starts = new Int32Array(capacity);
    this.lengths = new Int32Array(capacity);
    this.positions = new Float64Array(capacity);
    this.starts.set(starts);
    this.lengths.set(lengths);
    this.positions.set(positions);
  }
}
