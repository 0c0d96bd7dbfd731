import { type CksumCore, HISTORY_BYTES, MIDDLE_BYTES, NEAR_BYTES, sharedCksumCore } from './cksum-core.js';

/** CRC-32's polynomial without its highest term, first bit highest. */
const POLYNOMIAL = 0x04c11db7;

/**
 * The checksum that POSIX `cksum` prints, of bytes that come in pieces: the CRC-32, first bit highest and starting at
 * zero, of the bytes and then of their number (low byte first, without leading zero bytes), complemented.
 * Source: IEEE Std 1003.1, utility "cksum". Memory: 12 KiB, and the core that all checksums of a thread share.
 */
export class PosixCksum {
  readonly #core: CksumCore;
  /** The last bytes, each with all that was moved to it. Zeros before the first byte add nothing to a CRC. */
  readonly #history = new Uint8Array(HISTORY_BYTES);
  #lengthBytes = 0;

  constructor(core: CksumCore = sharedCksumCore()) {
    this.#core = core;
  }

  /** Where bytes may be put for {@link take}; valid until the next call of any checksum of this thread. */
  get room(): Uint8Array {
    return this.#core.bytes.subarray(HISTORY_BYTES);
  }

  /** Adds the first `length` bytes of the room, which has other bytes in it afterwards. */
  take(length: number): void {
    const { bytes } = this.#core;
    bytes.set(this.#history);
    this.#core.move(length);
    this.#history.set(bytes.subarray(length, length + HISTORY_BYTES));
    this.#lengthBytes += length;
  }

  /** Adds bytes that are elsewhere. */
  update(bytes: Uint8Array): this {
    const { room } = this;
    for (let at = 0; at < bytes.length; at += room.length) {
      const piece = bytes.subarray(at, at + room.length);
      room.set(piece);
      this.take(piece.length);
    }
    return this;
  }

  /** The checksum as the decimal number that `cksum` prints. */
  digest(): string {
    const remainder = divide(divide(0, withoutOwnMoves(this.#history)), bytesOf(this.#lengthBytes));
    return String(~remainder >>> 0);
  }
}

/** The last bytes with what was moved to them from before them, but not from each other: they go no further. */
function withoutOwnMoves(history: Uint8Array): Uint8Array {
  const last = history.slice();
  for (let to = HISTORY_BYTES - 1; to >= NEAR_BYTES; to--) {
    last[to]! ^= last[to - NEAR_BYTES]! ^ (to < MIDDLE_BYTES ? 0 : last[to - MIDDLE_BYTES]!);
  }
  return last;
}

/** Low byte first, without leading zero bytes. */
function bytesOf(length: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.push(rest % 256);
  return Uint8Array.from(bytes);
}

/** The remainder after `bytes` where it was `remainder` before them. */
function divide(remainder: number, bytes: Uint8Array): number {
  let rest = remainder;
  for (const byte of bytes) rest = (rest << 8) ^ REMAINDERS[(rest >>> 24) ^ byte]!;
  return rest;
}

/** What each byte leaves. */
const REMAINDERS = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte << 24;
  for (let bit = 0; bit < 8; bit++) rest = (rest << 1) ^ (rest < 0 ? POLYNOMIAL : 0);
  return rest;
});
