import { LzStream } from '../lz-stream.js';
import { readLiterals } from './literals.js';
import { executeSequences, type FrameState } from './sequences.js';

/*
 * Zstandard frame (RFC 8878, section 3.1.1):
 *
 *   u32 magic | descriptor | [window] | [dictionary id] | [content size] | blocks | [u32 checksum]
 *
 *   descriptor: bits 7-6 content size form, 5 single segment, 3 reserved, 2 checksum, 1-0 dictionary id form
 *   block: u24 header: bit 0 last, bits 2-1 type, the rest size; then the data
 */
const MAGIC = 0xfd2fb528;
const CHECKSUM_BYTES = 4;
const MAX_BLOCK_BYTES = 128 * 1024;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

/** Block_Type, section 3.1.1.2.2. */
const RAW = 0;
const REPEATED = 1;
const COMPRESSED = 2;

interface FrameHeader {
  readonly contentBytes: number | undefined;
  readonly maxBlockBytes: number;
  readonly hasChecksum: boolean;
}

/**
 * Unpacks one zstd frame. Any input is safe. Needs `maxOutputBytes` and 256 KiB of memory, and time in proportion to it
 * and the input. A content checksum, which mksquashfs never writes, is not verified.
 *
 * @throws FORMAT where the frame is damaged, cut off, followed by other bytes, needs a dictionary, or unpacks to more
 * than `maxOutputBytes`.
 */
export function decompressZstd(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const stream = new LzStream('zstd', bytes, maxOutputBytes);
  const header = readFrameHeader(stream);
  const state: FrameState = { huffman: undefined, tables: undefined, recent: [1, 4, 8] };
  let last = false;
  while (!last) last = readBlock(stream, header, state);
  if (header.hasChecksum) stream.take(CHECKSUM_BYTES);
  if (stream.remainingInputBytes > 0) throw stream.damaged('its end', `${stream.remainingInputBytes} more bytes`);
  if (header.contentBytes !== undefined && header.contentBytes !== stream.outputBytes) {
    throw stream.damaged(`${header.contentBytes} unpacked bytes`, `${stream.outputBytes}`);
  }
  return stream.unpacked();
}

function readFrameHeader(stream: LzStream): FrameHeader {
  const magic = readInteger(stream, 4);
  if (magic !== MAGIC) throw stream.damaged('the magic of a zstd frame', `0x${magic.toString(16)}`);
  const descriptor = stream.readByte();
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw stream.damaged('a reserved bit of 0', '1');
  const windowBytes = singleSegment ? Number.POSITIVE_INFINITY : readWindowBytes(stream);
  const dictionary = readInteger(stream, DICTIONARY_ID_BYTES[descriptor & 3]!);
  if (dictionary !== 0) throw stream.damaged('no dictionary', `dictionary ${dictionary}`);
  const contentBytes = readContentBytes(stream, descriptor >> 6, singleSegment);
  return {
    contentBytes,
    maxBlockBytes: Math.min(MAX_BLOCK_BYTES, singleSegment ? (contentBytes ?? 0) : windowBytes),
    hasChecksum: (descriptor & 0x04) !== 0,
  };
}

/** Section 3.1.1.1.2. */
function readWindowBytes(stream: LzStream): number {
  const byte = stream.readByte();
  return 2 ** (10 + (byte >> 3)) * (1 + (byte & 7) / 8);
}

/** Section 3.1.1.1.4; the form of two bytes starts at 256. */
function readContentBytes(stream: LzStream, form: number, singleSegment: boolean): number | undefined {
  if (form === 0) return singleSegment ? stream.readByte() : undefined;
  return readInteger(stream, 2 ** form) + (form === 1 ? 256 : 0);
}

/** A little-endian integer; above 2^53 it is rounded, far more than is ever unpacked. */
function readInteger(stream: LzStream, byteCount: number): number {
  return stream.take(byteCount).reduce((total, byte, i) => total + byte * 2 ** (8 * i), 0);
}

/** Yields whether it was the frame's last block. */
function readBlock(stream: LzStream, { maxBlockBytes }: FrameHeader, state: FrameState): boolean {
  const header = readInteger(stream, 3);
  const type = (header >> 1) & 3;
  const sizeBytes = header >> 3;
  if (sizeBytes > maxBlockBytes) throw stream.damaged(`a block of at most ${maxBlockBytes} bytes`, `${sizeBytes}`);
  if (type === RAW) stream.copyLiterals(sizeBytes);
  else if (type === REPEATED) stream.appendRepeated(stream.readByte(), sizeBytes);
  else if (type === COMPRESSED) executeBlock(stream, stream.take(sizeBytes), maxBlockBytes, state);
  else throw stream.damaged('a block of type 0, 1 or 2', '3');
  return (header & 1) === 1;
}

/** Section 3.1.1.3: literals, then the sequences that place them. */
function executeBlock(output: LzStream, bytes: Uint8Array, maxBlockBytes: number, state: FrameState): void {
  const block = new LzStream('zstd', bytes, 0);
  const literals = readLiterals(block, state.huffman, maxBlockBytes);
  state.huffman = literals.table;
  executeSequences(block, literals.bytes, state, output);
}
