import { u16 } from '../little-endian.js';
import { LzStream } from '../lz-stream.js';
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from './huffman.js';

/** The bytes that a block's sequences take their literals from, and the prefix code that the next block may reuse. */
export interface Literals {
  readonly bytes: Uint8Array;
  readonly table: HuffmanTable | undefined;
}

/** Literals_Block_Type of RFC 8878, section 3.1.1.3.1.1. */
const RAW = 0;
const REPEATED = 1;
const TREELESS = 3;
const JUMP_TABLE_BYTES = 6;

interface CompressedHeader {
  readonly sizeBytes: number;
  readonly compressedBytes: number;
  readonly streams: 1 | 4;
}

/**
 * Reads the literals section of a block (section 3.1.1.3.1) at the stream's place and moves behind it.
 *
 * @param previous The prefix code of the frame's last block that had one.
 * @param maxBytes What a block may hold unpacked, at most 128 KiB.
 * @throws FORMAT where the section is damaged.
 */
export function readLiterals(stream: LzStream, previous: HuffmanTable | undefined, maxBytes: number): Literals {
  const first = stream.readByte();
  const type = first & 3;
  if (type === RAW || type === REPEATED) {
    const sizeBytes = checkSize(stream, readPlainSize(stream, first), maxBytes);
    const bytes = type === RAW ? stream.take(sizeBytes) : new Uint8Array(sizeBytes).fill(stream.readByte());
    return { bytes, table: previous };
  }
  const header = readCompressedHeader(stream, first);
  checkSize(stream, header.sizeBytes, maxBytes);
  const section = new LzStream('zstd', stream.take(header.compressedBytes), 0);
  const table = type === TREELESS ? previous : readHuffmanTable(section);
  if (table === undefined) throw stream.damaged('a prefix code', 'a reference to an earlier one, but none came before');
  return { bytes: decodeStreams(section, table, header), table };
}

function checkSize(stream: LzStream, sizeBytes: number, maxBytes: number): number {
  if (sizeBytes > maxBytes) throw stream.damaged(`at most ${maxBytes} literals`, `${sizeBytes}`);
  return sizeBytes;
}

/** Size_Format for raw and repeated literals: 5 bits of size in one byte, 12 in two, 20 in three. */
function readPlainSize(stream: LzStream, first: number): number {
  const format = (first >> 2) & 3;
  if (format === 1) return (first >> 4) | (stream.readByte() << 4);
  if (format === 3) return (first >> 4) | (stream.readByte() << 4) | (stream.readByte() << 12);
  return first >> 3;
}

/** Size_Format for compressed ones: two sizes of 10, 10, 14 or 18 bits; only the first form has a single stream. */
function readCompressedHeader(stream: LzStream, first: number): CompressedHeader {
  const format = (first >> 2) & 3;
  const sizeBits = format < 2 ? 10 : 10 + 4 * (format - 1);
  const bytes = stream.take((4 + 2 * sizeBits) / 8 - 1);
  const value = bytes.reduce((total, byte, i) => total + byte * 2 ** (8 * i + 4), first >> 4);
  return {
    sizeBytes: value % 2 ** sizeBits,
    compressedBytes: Math.floor(value / 2 ** sizeBits),
    streams: format === 0 ? 1 : 4,
  };
}

/** Section 3.1.1.3.1.6: of four streams the first three unpack to a quarter each, rounded up. */
function decodeStreams(section: LzStream, table: HuffmanTable, header: CompressedHeader): Uint8Array {
  const output = new Uint8Array(header.sizeBytes);
  if (header.streams === 1) {
    decodeHuffman(section, table, section.take(section.remainingInputBytes), output);
    return output;
  }
  const jumps = section.take(JUMP_TABLE_BYTES);
  const quarter = (output.length + 3) >> 2;
  if (output.length < 3 * quarter) throw section.damaged('literals for four streams', `${output.length}`);
  for (let i = 0; i < 4; i += 1) {
    const coded = section.take(i < 3 ? u16(jumps, 2 * i) : section.remainingInputBytes);
    decodeHuffman(section, table, coded, output.subarray(i * quarter, i < 3 ? (i + 1) * quarter : undefined));
  }
  return output;
}
