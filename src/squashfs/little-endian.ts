/** The 16 bit unsigned integer at `at`, little-endian as all integers of the formats in this room. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** The 16 bit two's complement integer at `at`. */
export function i16(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) << 16) >> 16;
}

/** The 32 bit unsigned integer at `at`. */
export function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}

/**
 * The 64 bit unsigned integer at `at`. Above 2^53 it is rounded, so compare it with a safe integer (a file's size)
 * before it is used as an offset: what is rounded is larger than any of them.
 */
export function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + 4) * 2 ** 32 + u32(bytes, at);
}
