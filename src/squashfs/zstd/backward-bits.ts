/**
 * Bits read from the end of a byte string to its start, as the entropy coded parts of zstd are (RFC 8878, section 4.1:
 * "bitstreams are read in reverse"): above the first bit to read stands a 1, the highest one of the last byte.
 */
export class BackwardBits {
  private readonly bytes: Uint8Array;
  /** Bits that are left. Below zero where more was read than there is; what was missing read as 0. */
  private left: number;

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1) ?? 0;
    this.bytes = bytes;
    this.left = last === 0 ? -1 : bytes.length * 8 - 1 - Math.clz32(last << 24);
  }

  /** Whether more bits were read than there are, or the mark of the first bit is missing. */
  get overrun(): boolean {
    return this.left < 0;
  }

  /** Whether every bit was read and none too many. */
  get exhausted(): boolean {
    return this.left === 0;
  }

  /** The next `count` bits, at most 24. */
  read(count: number): number {
    const value = this.peek(count);
    this.left -= count;
    return value;
  }

  skip(count: number): void {
    this.left -= count;
  }

  peek(count: number): number {
    const from = this.left - count;
    if (from >= 0) return this.bitsAt(from, count);
    return this.left > 0 ? this.bitsAt(0, this.left) << -from : 0;
  }

  private bitsAt(from: number, count: number): number {
    const { bytes } = this;
    const at = from >> 3;
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return (word >>> (from & 7)) & ((1 << count) - 1);
  }
}
