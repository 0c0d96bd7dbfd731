/**
 * librsync's delta stream, as `rdiff patch` reads it. All integers are big-endian and unsigned.
 *
 *     magic 72 73 02 36, then commands, then 00 (end of the stream; nothing may follow)
 *
 *     01 .. 40   literal of 1 .. 64 bytes, which follow
 *     41 .. 44   literal, its length in 1, 2, 4 or 8 bytes, then its bytes
 *     45 .. 54   copy from the base: opcode 45 + 4 * log2(offset width) + log2(length width),
 *                then the offset, then the length, each in 1, 2, 4 or 8 bytes
 *     55 .. ff   reserved
 *
 * The stream has no checksum and does not say which base it belongs to.
 * Source: "File formats" in librsync's documentation (doc/formats.md), sections "Delta files" and "Commands".
 */

/** The first four bytes of a delta, as one big-endian number. */
export const DELTA_MAGIC = 0x72730236;
export const DELTA_MAGIC_BYTES = 4;

export const OP_END = 0x00;
/** The longest literal whose length is its opcode. */
export const OP_LITERAL_MAX_INLINE = 0x40;
export const OP_LITERAL_FIRST_WIDTH = 0x41;
export const OP_COPY_FIRST = 0x45;
export const OP_COPY_LAST = 0x54;

/** The longest literal that is written: librsync's own limit, which older clients hold in memory. */
export const LITERAL_MAX_BYTES = 32768;

/** Opcode and two integers of 8 bytes. */
export const COMMAND_HEADER_MAX_BYTES = 17;

/** log2 of the bytes, out of 1, 2, 4 and 8, that `value` needs; `value` is a safe non-negative integer. */
export function widthCode(value: number): 0 | 1 | 2 | 3 {
  if (value < 0x100) return 0;
  if (value < 0x10000) return 1;
  return value < 0x100000000 ? 2 : 3;
}
