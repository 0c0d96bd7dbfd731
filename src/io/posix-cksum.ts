import { crc32 } from 'node:zlib';

/**
 * The checksum that POSIX `cksum` prints: CRC-32 with polynomial 0x04C11DB7, most significant bit first, starting at
 * zero, over the bytes and then over the length (little end first, without leading zero bytes), complemented.
 * Source: IEEE Std 1003.1, utility "cksum".
 *
 * zlib's crc32 is the same polynomial with every byte and the register bit-reversed, and its code is vectorised:
 * reversing the bits of each byte, calling it and reversing the result is faster than any table walk in JavaScript.
 */
export class PosixCksum {
  // zlib complements the register on the way in and out, so this stands for zero; the final complement is zlib's too.
  #reflected = 0xffffffff;
  #lengthBytes = 0;
  #reversed = new Uint8Array(0);

  /** Adds bytes. Keeps a buffer of the size of the largest piece. */
  update(bytes: Uint8Array): this {
    // zlib takes an empty buffer for the request to start anew.
    if (bytes.length === 0) return this;
    if (this.#reversed.length < bytes.length) this.#reversed = new Uint8Array((bytes.length + 3) & ~3);
    const reversed = this.#reversed.subarray(0, bytes.length);
    reverseBits(bytes, this.#reversed);
    this.#reflected = crc32(reversed, this.#reflected);
    this.#lengthBytes += bytes.length;
    return this;
  }

  /** The checksum as the decimal number that `cksum` prints. */
  digest(): string {
    const length = reversedLength(this.#lengthBytes);
    return String(reverseWord(length.length === 0 ? this.#reflected : crc32(length, this.#reflected)));
  }
}

function reversedLength(lengthBytes: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = lengthBytes; rest > 0; rest = Math.floor(rest / 256)) bytes.push(reverseWord(rest % 256) >>> 24);
  return Uint8Array.from(bytes);
}

/** Writes `from` into `to` with the bits of every byte in reverse order; `to` is a multiple of four bytes long. */
function reverseBits(from: Uint8Array, to: Uint8Array): void {
  to.set(from);
  const words = new Uint32Array(to.buffer, to.byteOffset, (from.length + 3) >>> 2);
  for (let i = 0; i < words.length; i++) {
    let word = words[i]!;
    word = ((word >>> 1) & 0x55555555) | ((word & 0x55555555) << 1);
    word = ((word >>> 2) & 0x33333333) | ((word & 0x33333333) << 2);
    words[i] = ((word >>> 4) & 0x0f0f0f0f) | ((word & 0x0f0f0f0f) << 4);
  }
}

/** The 32 bits of `word` in reverse order. */
function reverseWord(word: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((word >>> bit) & 1);
  return reversed >>> 0;
}
