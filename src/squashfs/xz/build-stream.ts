import { crc32 } from 'node:zlib';
import { CRC_BYTES, FOOTER_MAGIC, HEADER_MAGIC, LZMA2, MAX_DICTIONARY_CODE, roundUp } from './layout.js';

/**
 * Puts LZMA2 data into a stream of its own, with no filter and no check.
 *
 * @param unpackedBytes What it unpacks to; the dictionary gets this size, whatever the original asked for.
 */
export function buildXzStream(packed: Uint8Array, unpackedBytes: number): Uint8Array {
  const streamFlags = [0, 0];
  const header = padded([0, 0, LZMA2, 1, dictionaryCode(unpackedBytes)]);
  header[0] = header.length / 4;
  const block = padded(packed);
  const unpadded = header.length + CRC_BYTES + packed.length;
  const index = padded([0, 1, ...integer(unpadded), ...integer(unpackedBytes)]);
  const footer = [...littleEndian(index.length / 4), ...streamFlags];
  return Buffer.concat([
    HEADER_MAGIC,
    ...withCrc(Uint8Array.from(streamFlags)),
    ...withCrc(header),
    block,
    ...withCrc(index),
    ...withCrc(Uint8Array.from(footer)).reverse(),
    FOOTER_MAGIC,
  ]);
}

/** Section 1.2: seven bits a byte, lowest first, the top bit set in all but the last. */
function integer(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...integer(value >>> 7)];
}

/** Section 5.3.1: 2^12 bytes, 3 * 2^11, 2^13, 3 * 2^12 and so on. */
function dictionaryCode(sizeBytes: number): number {
  for (let code = 0; code < MAX_DICTIONARY_CODE; code += 1) {
    if ((2 | (code & 1)) * 2 ** (11 + (code >> 1)) >= sizeBytes) return code;
  }
  return MAX_DICTIONARY_CODE;
}

function withCrc(bytes: Uint8Array): Uint8Array[] {
  return [bytes, Uint8Array.from(littleEndian(crc32(bytes)))];
}

function littleEndian(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function padded(bytes: Uint8Array | readonly number[]): Uint8Array {
  const result = new Uint8Array(roundUp(bytes.length));
  result.set(bytes);
  return result;
}
