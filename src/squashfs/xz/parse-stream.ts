import { crc32 } from 'node:zlib';
import { u32 } from '../little-endian.js';
import { LzStream } from '../lz-stream.js';
import {
  CRC_BYTES,
  damagedXz,
  FOOTER_BYTES,
  FOOTER_MAGIC,
  HEADER_BYTES,
  HEADER_MAGIC,
  LZMA2,
  MAX_DICTIONARY_CODE,
  roundUp,
} from './layout.js';

/** The format's largest variable-length integers have nine bytes; four hold all that a squashfs block can need. */
const MAX_INTEGER_BYTES = 4;
const CHECK_BYTES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, CRC_BYTES],
]);

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
    throw damagedXz(dataAt, `a block that ends at byte ${record.indexAt}`, `one of ${record.unpaddedBytes} bytes`);
  }
  return {
    packed: bytes.subarray(dataAt, dataAt + packedBytes),
    unpackedBytes: record.unpackedBytes,
    filters: header.filters,
    crc: checkBytes === 0 ? null : u32(bytes, checkAt),
  };
}

/** Yields the size of the check behind a block. */
function parseStreamHeader(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES + FOOTER_BYTES || HEADER_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw damagedXz(0, 'an .xz stream', `${bytes.length} other bytes`);
  }
  checkCrc(bytes, 6, 8);
  const checkBytes = CHECK_BYTES.get(bytes[7]!);
  if (bytes[6] !== 0 || checkBytes === undefined) {
    throw damagedXz(6, 'a check of CRC32 or none', `check type ${bytes[7]}`);
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
  if (FOOTER_MAGIC.some((byte, i) => bytes[footerAt + 10 + i] !== byte)) {
    throw damagedXz(footerAt, "'YZ' at its end", 'none');
  }
  if (u32(bytes, footerAt) !== crc32(bytes.subarray(footerAt + 4, footerAt + 10))) {
    throw damagedXz(footerAt, 'a footer that fits its CRC32', 'another one');
  }
  if (bytes[footerAt + 8] !== bytes[6] || bytes[footerAt + 9] !== bytes[7]) {
    throw damagedXz(footerAt + 8, 'the flags of the header', 'others');
  }
  const indexAt = footerAt - 4 * (u32(bytes, footerAt + 4) + 1);
  if (indexAt < HEADER_BYTES) throw damagedXz(footerAt + 4, 'an index inside the stream', 'one before its start');
  checkCrc(bytes, indexAt, footerAt - CRC_BYTES);
  const stream = new LzStream('xz', bytes.subarray(indexAt, footerAt - CRC_BYTES), 0);
  const [indicator, blocks] = [stream.readByte(), readInteger(stream)];
  if (indicator !== 0 || blocks !== 1) throw damagedXz(indexAt, 'one block', `${blocks}`);
  return { indexAt, unpaddedBytes: readInteger(stream), unpackedBytes: readInteger(stream) };
}

interface BlockHeader {
  readonly sizeBytes: number;
  readonly filters: readonly number[];
}

function parseBlockHeader(bytes: Uint8Array): BlockHeader {
  const sizeBytes = 4 * (bytes[HEADER_BYTES]! + 1);
  const end = HEADER_BYTES + sizeBytes;
  if (sizeBytes < 8 || end > bytes.length) throw damagedXz(HEADER_BYTES, 'a block header', `one of ${sizeBytes} bytes`);
  checkCrc(bytes, HEADER_BYTES, end - CRC_BYTES);
  const stream = new LzStream('xz', bytes.subarray(HEADER_BYTES + 1, end - CRC_BYTES), 0);
  const flags = stream.readByte();
  if ((flags & 0x3c) !== 0) throw damagedXz(HEADER_BYTES + 1, 'reserved flags of 0', `${flags & 0x3c}`);
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

function checkCrc(bytes: Uint8Array, from: number, end: number): void {
  if (end + CRC_BYTES <= bytes.length && u32(bytes, end) === crc32(bytes.subarray(from, end))) return;
  throw damagedXz(from, 'bytes that fit their CRC32', 'others');
}
