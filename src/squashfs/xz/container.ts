import { crc32 } from 'node:zlib';
import { damagedData } from '../damage.js';
import { u32 } from '../little-endian.js';
import { LzStream } from '../lz-stream.js';

/*
 * .xz file format 1.2.1, as far as squashfs uses it: one stream of one block.
 *
 *   stream header (2.1.1)   FD '7zXZ' 00, u8 0, u8 check type, u32 CRC32 of the two
 *   block header (3.1)      u8 size / 4 - 1, u8 flags, [compressed size], [uncompressed size], filters, padding, CRC32
 *   block                   LZMA2 data, padding to 4, check
 *   index (4)               u8 0, records, unpadded size and uncompressed size of each, padding to 4, u32 CRC32
 *   stream footer (2.1.2)   u32 CRC32 of the next two, u32 size of the index / 4 - 1, u8 0, u8 check type, 'YZ'
 */
const HEADER_MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const FOOTER_MAGIC = [0x59, 0x5a];
const HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
const CRC_BYTES = 4;
/** The format's largest variable-length integers have nine bytes; four hold all that a squashfs block can need. */
const MAX_INTEGER_BYTES = 4;
const CHECK_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, CRC_BYTES],
]);
const LZMA2 = 0x21;
/** Section 5.3.1: 2^12 or 3 * 2^11 bytes and so on upwards, two steps to a power of two. */
const MAX_DICTIONARY_CODE = 40;

/** The parts of a stream that are needed to unpack it. */
export interface XzStream {
  /** The LZMA2 data. */
  readonly packed: Uint8Array;
  readonly unpackedBytes: number;
  /** The ids of the filters before LZMA2, in the order in which they were applied. */
  readonly filters: readonly number[];
  /** The CRC32 of the unpacked bytes, null where the stream has none. */
  readonly crc: number | null;
}

/**
 * Takes an .xz stream apart and checks everything but the LZMA2 data.
 *
 * @throws FORMAT where it is damaged, or has anything but one block with a check of CRC32 or none.
 */
export function parseXzStream(bytes: Uint8Array): XzStream {
  const checkBytes = parseStreamHeader(bytes);
  const record = parseIndex(bytes);
  const header = parseBlockHeader(bytes);
  const dataAt = HEADER_BYTES + header.sizeBytes;
  const packedBytes = record.unpaddedBytes - header.sizeBytes - checkBytes;
  const checkAt = roundUp(dataAt + packedBytes);
  if (packedBytes < 1 || checkAt + checkBytes !== record.indexAt) {
    throw damaged(dataAt, `a block that ends at byte ${record.indexAt}`, `one of ${record.unpaddedBytes} bytes`);
  }
  return {
    packed: bytes.subarray(dataAt, dataAt + packedBytes),
    unpackedBytes: record.unpackedBytes,
    filters: header.filters,
    crc: checkBytes === 0 ? null : u32(bytes, checkAt),
  };
}

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
    Uint8Array.from(HEADER_MAGIC),
    ...withCrc(Uint8Array.from(streamFlags)),
    ...withCrc(header),
    block,
    ...withCrc(index),
    ...withCrc(Uint8Array.from(footer)).reverse(),
    Uint8Array.from(FOOTER_MAGIC),
  ]);
}

/** Yields the size of the check behind a block. */
function parseStreamHeader(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES + FOOTER_BYTES || HEADER_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw damaged(0, 'an .xz stream', `${bytes.length} other bytes`);
  }
  checkCrc(bytes, 6, 8);
  const checkBytes = CHECK_BYTES.get(bytes[7]!);
  if (bytes[6] !== 0 || checkBytes === undefined) {
    throw damaged(6, 'a check of CRC32 or none', `check type ${bytes[7]}`);
  }
  return checkBytes;
}

interface IndexRecord {
  readonly indexAt: number;
  readonly unpaddedBytes: number;
  readonly unpackedBytes: number;
}

function parseIndex(bytes: Uint8Array): IndexRecord {
  const footerAt = bytes.length - FOOTER_BYTES;
  if (FOOTER_MAGIC.some((byte, i) => bytes[footerAt + 10 + i] !== byte))
    throw damaged(footerAt, "'YZ' at its end", 'none');
  if (u32(bytes, footerAt) !== crc32(bytes.subarray(footerAt + 4, footerAt + 10))) {
    throw damaged(footerAt, 'a footer that fits its CRC32', 'another one');
  }
  if (bytes[footerAt + 8] !== bytes[6] || bytes[footerAt + 9] !== bytes[7]) {
    throw damaged(footerAt + 8, 'the flags of the header', 'others');
  }
  const indexAt = footerAt - 4 * (u32(bytes, footerAt + 4) + 1);
  if (indexAt < HEADER_BYTES) throw damaged(footerAt + 4, 'an index inside the stream', 'one before its start');
  checkCrc(bytes, indexAt, footerAt - CRC_BYTES);
  const stream = new LzStream('xz', bytes.subarray(indexAt, footerAt - CRC_BYTES), 0);
  const [indicator, blocks] = [stream.readByte(), readInteger(stream)];
  if (indicator !== 0 || blocks !== 1) throw damaged(indexAt, 'one block', `${blocks}`);
  return { indexAt, unpaddedBytes: readInteger(stream), unpackedBytes: readInteger(stream) };
}

interface BlockHeader {
  readonly sizeBytes: number;
  readonly filters: readonly number[];
}

function parseBlockHeader(bytes: Uint8Array): BlockHeader {
  const sizeBytes = 4 * (bytes[HEADER_BYTES]! + 1);
  const end = HEADER_BYTES + sizeBytes;
  if (sizeBytes < 8 || end > bytes.length) throw damaged(HEADER_BYTES, 'a block header', `one of ${sizeBytes} bytes`);
  checkCrc(bytes, HEADER_BYTES, end - CRC_BYTES);
  const stream = new LzStream('xz', bytes.subarray(HEADER_BYTES + 1, end - CRC_BYTES), 0);
  const flags = stream.readByte();
  if ((flags & 0x3c) !== 0) throw damaged(HEADER_BYTES + 1, 'reserved flags of 0', `${flags & 0x3c}`);
  // The sizes stand in the index as well, from where they are taken.
  if ((flags & 0x40) !== 0) readInteger(stream);
  if ((flags & 0x80) !== 0) readInteger(stream);
  const filters: number[] = [];
  for (let i = 0; i < (flags & 3); i += 1) filters.push(readBranchFilter(stream));
  readLzma2(stream);
  return { sizeBytes, filters };
}

/** Section 5.3.2: no properties, or a start address, which is 0 in all that squashfs packs. */
function readBranchFilter(stream: LzStream): number {
  const id = readInteger(stream);
  const properties = stream.take(readInteger(stream));
  if (properties.some((byte) => byte !== 0)) throw stream.damaged('a filter that starts at 0', 'another one');
  return id;
}

function readLzma2(stream: LzStream): void {
  const id = readInteger(stream);
  if (id !== LZMA2) throw stream.damaged('LZMA2 as the last filter', `filter ${id}`);
  const properties = stream.take(readInteger(stream));
  if (properties.length !== 1 || properties[0]! > MAX_DICTIONARY_CODE) {
    throw stream.damaged('the size of a dictionary', `${properties.length} bytes`);
  }
}

/** Section 1.2: seven bits a byte, lowest first, the top bit set in all but the last. */
function readInteger(stream: LzStream): number {
  let value = 0;
  for (let i = 0; i < MAX_INTEGER_BYTES; i += 1) {
    const byte = stream.readByte();
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  throw stream.damaged(`a number of at most ${MAX_INTEGER_BYTES} bytes`, 'a longer one');
}

function integer(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...integer(value >>> 7)];
}

function dictionaryCode(sizeBytes: number): number {
  for (let code = 0; code < MAX_DICTIONARY_CODE; code += 1) {
    if ((2 | (code & 1)) * 2 ** (11 + (code >> 1)) >= sizeBytes) return code;
  }
  return MAX_DICTIONARY_CODE;
}

function checkCrc(bytes: Uint8Array, from: number, end: number): void {
  if (end + CRC_BYTES <= bytes.length && u32(bytes, end) === crc32(bytes.subarray(from, end))) return;
  throw damaged(from, 'bytes that fit their CRC32', 'others');
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

function roundUp(value: number): number {
  return Math.ceil(value / 4) * 4;
}

function damaged(at: number, expected: string, found: string): Error {
  return damagedData('xz', at, expected, found);
}
