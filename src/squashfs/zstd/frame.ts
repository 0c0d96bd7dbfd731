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
export const CHECKSUM_BYTES = 4;
/** A header takes no more. */
export const FRAME_HEADER_MAX_BYTES = 18;
export const BLOCK_HEADER_BYTES = 3;
export const MAX_BLOCK_BYTES = 128 * 1024;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

/** Block_Type, section 3.1.1.2.2. */
const RAW = 0;
const REPEATED = 1;
const COMPRESSED = 2;

/** What a frame says of itself. */
export interface FrameHeader {
  /** How far back its matches reach. */
  readonly windowBytes: number;
  readonly contentBytes: number | undefined;
  readonly maxBlockBytes: number;
  readonly hasChecksum: boolean;
}

/** What a block's header says, section 3.1.1.2. */
export interface BlockHeader {
  readonly last: boolean;
  readonly type: number;
  /** Unpacked, where the block is not compressed. */
  readonly sizeBytes: number;
  /** What follows the header. */
  readonly dataBytes: number;
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
  const state = startOfFrame();
  let last = false;
  while (!last) last = readBlock(stream, header, state);
  if (header.hasChecksum) stream.take(CHECKSUM_BYTES);
  if (stream.remainingInputBytes > 0) throw stream.damaged('its end', `${stream.remainingInputBytes} more bytes`);
  if (header.contentBytes !== undefined && header.contentBytes !== stream.outputBytes) {
    throw stream.damaged(`${header.contentBytes} unpacked bytes`, `${stream.outputBytes}`);
  }
  return stream.unpacked();
}

/** What the first block of a frame finds. */
export function startOfFrame(): FrameState {
  return { huffman: undefined, tables: undefined, recent: [1, 4, 8] };
}

/** Reads the header of a frame at the stream's place and moves behind it. @throws FORMAT */
export function readFrameHeader(stream: LzStream): FrameHeader {
  const magic = readInteger(stream, 4);
  if (magic !== MAGIC) throw stream.damaged('the magic of a zstd frame', `0x${magic.toString(16)}`);
  const descriptor = stream.readByte();
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw stream.damaged('a reserved bit of 0', '1');
  const declaredWindow = singleSegment ? undefined : readWindowBytes(stream);
  const dictionary = readInteger(stream, DICTIONARY_ID_BYTES[descriptor & 3]!);
  if (dictionary !== 0) throw stream.damaged('no dictionary', `dictionary ${dictionary}`);
  const contentBytes = readContentBytes(stream, descriptor >> 6, singleSegment);
  const windowBytes = declaredWindow ?? contentBytes ?? 0;
  return {
    windowBytes,
    contentBytes,
    maxBlockBytes: Math.min(MAX_BLOCK_BYTES, windowBytes),
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
  const block = readBlockHeader(stream, maxBlockBytes);
  unpackBlock(stream, block, stream.take(block.dataBytes), { maxBlockBytes, state });
  return block.last;
}

/** Reads the header of a block at the stream's place and moves behind it. @throws FORMAT */
export function readBlockHeader(stream: LzStream, maxBlockBytes: number): BlockHeader {
  const header = readInteger(stream, BLOCK_HEADER_BYTES);
  const type = (header >> 1) & 3;
  const sizeBytes = header >> 3;
  if (sizeBytes > maxBlockBytes) throw stream.damaged(`a block of at most ${maxBlockBytes} bytes`, `${sizeBytes}`);
  if (type > COMPRESSED) throw stream.damaged('a block of type 0, 1 or 2', '3');
  return { last: (header & 1) === 1, type, sizeBytes, dataBytes: type === REPEATED ? 1 : sizeBytes };
}

/** Appends to `output` what a block with this `data` unpacks to. @throws FORMAT */
export function unpackBlock(
  output: LzStream,
  { type, sizeBytes }: BlockHeader,
  data: Uint8Array,
  { maxBlockBytes, state }: { readonly maxBlockBytes: number; readonly state: FrameState },
): void {
  if (type === RAW) output.append(data, 0, sizeBytes);
  else if (type === REPEATED) output.appendRepeated(data[0] ?? 0, sizeBytes);
  else executeBlock(output, data, maxBlockBytes, state);
}

/** Section 3.1.1.3: literals, then the sequences that place them. */
function executeBlock(output: LzStream, bytes: Uint8Array, maxBlockBytes: number, state: FrameState): void {
  const block = new LzStream('zstd', bytes, 0);
  const literals = readLiterals(block, state.huffman, maxBlockBytes);
  state.huffman = literals.table;
  executeSequences(block, literals.bytes, state, output);
}
