import { damagedData } from '../damage.js';

/*
 * .xz file format 1.2.1, as far as squashfs uses it: one stream of one block.
 *
 *   stream header (2.1.1)   FD '7zXZ' 00, u8 0, u8 check type, u32 CRC32 of the two
 *   block header (3.1)      u8 size / 4 - 1, u8 flags, [compressed size], [uncompressed size], filters, padding, CRC32
 *   block                   LZMA2 data, padding to 4, check
 *   index (4)               u8 0, records, unpadded size and uncompressed size of each, padding to 4, u32 CRC32
 *   stream footer (2.1.2)   u32 CRC32 of the next two, u32 size of the index / 4 - 1, u8 0, u8 check type, 'YZ'
 */
export const HEADER_MAGIC = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00);
export const FOOTER_MAGIC = Uint8Array.of(0x59, 0x5a);
export const HEADER_BYTES = 12;
export const FOOTER_BYTES = 12;
export const CRC_BYTES = 4;
/** The id of the LZMA2 filter, and the largest code of a dictionary's size (section 5.3.1). */
export const LZMA2 = 0x21;
export const MAX_DICTIONARY_CODE = 40;

/** All parts of a stream start at multiples of four. */
export function roundUp(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

export function damagedXz(at: number, expected: string, found: string): Error {
  return damagedData('xz', at, expected, found);
}
