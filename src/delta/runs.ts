import { type ByteBlock, isConstant } from './byte-block.js';

/** Shorter runs of one byte value are nothing special. */
export const RUN_MIN_BYTES = 32;

/** Every run of {@link RUN_MIN_BYTES} holds one of the places that are so far apart, and the 4 bytes from it on. */
const STRIDE = RUN_MIN_BYTES - 4;
/** From here on the C library's comparison pays for its call. */
const NEAR_BYTES = 256;
const LONG_BYTES = 4096;

/** A run of one byte value in a block: from `start` to before `end`. */
export interface Run {
  start: number;
  end: number;
}

/**
 * Finds the first maximal run of at least {@link RUN_MIN_BYTES} equal bytes in [from, to) and stores it in `run`;
 * false when there is none.
 */
export function nextRun(block: ByteBlock, from: number, to: number, run: Run): boolean {
  const { bytes, view } = block;
  for (let at = from; at + 4 <= to; at += STRIDE) {
    const word = view.getInt32(at, true);
    if (((word ^ (word >>> 8)) & 0xffffff) !== 0) continue;
    const start = runStart(bytes, from, at);
    // Most runs are short: one look tells.
    const least = start + RUN_MIN_BYTES;
    if (least > to || view.getInt32(least - 4, true) !== word) continue;
    const end = runEnd(block, at, to);
    if (end < least) continue;
    run.start = start;
    run.end = end;
    return true;
  }
  return false;
}

function runStart(bytes: Uint8Array, from: number, at: number): number {
  const value = bytes[at];
  let start = at;
  while (start > from && bytes[start - 1] === value) start -= 1;
  return start;
}

function runEnd(block: ByteBlock, at: number, to: number): number {
  const { bytes, view } = block;
  const value = bytes[at]!;
  const word = Math.imul(value, 0x01010101);
  const near = Math.min(to, at + NEAR_BYTES);
  let end = at;
  while (end + 4 <= near && view.getInt32(end, true) === word) end += 4;
  while (end + LONG_BYTES < to && isConstant(block, end - 1, end - 1 + LONG_BYTES)) end += LONG_BYTES - 1;
  while (end + 4 <= to && view.getInt32(end, true) === word) end += 4;
  while (end < to && bytes[end] === value) end += 1;
  return end;
}

/** Bytes of a {@link BaseRuns}. */
export const RUNS_BYTES = 2 * 256 * 8;

/**
 * For each byte value the longest run of it in the base, where a run never crosses a multiple of the segment size; of
 * equally long ones the lowest. So the result does not depend on the order of the segments, nor on who noted them. It
 * lies in shared memory: 256 positions, then 256 lengths.
 */
export class BaseRuns {
  readonly #positions: Float64Array;
  readonly #lengths: Float64Array;

  constructor(buffer: ArrayBufferLike, address: number) {
    this.#positions = new Float64Array(buffer, address, 256);
    this.#lengths = new Float64Array(buffer, address + RUNS_BYTES / 2, 256);
  }

  clear(): void {
    this.#positions.fill(0);
    this.#lengths.fill(0);
  }

  note(value: number, position: number, length: number): void {
    const known = this.#lengths[value]!;
    if (length < known || (length === known && position >= this.#positions[value]!)) return;
    this.#positions[value] = position;
    this.#lengths[value] = length;
  }

  /** Notes all that others noted. */
  merge(others: BaseRuns): void {
    for (let value = 0; value < 256; value += 1) this.note(value, others.positionOf(value), others.lengthOf(value));
  }

  positionOf(value: number): number {
    return this.#positions[value]!;
  }

  /** 0 when the base has no run of this value that is worth a copy. */
  lengthOf(value: number): number {
    return this.#lengths[value]!;
  }
}
