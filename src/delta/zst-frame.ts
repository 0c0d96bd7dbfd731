import { UpdateRepositoryError } from '../errors.js';
import { contentChecksum } from './content-checksum.js';

/*
 * A `.rdiff.zst` is a row of zstd frames (RFC 8878, section 3.1.1), each with FRAME_CONTENT_BYTES of the delta, the last
 * with the rest; an empty file has one frame too. All of them have this form:
 *
 *   u32 magic | u8 descriptor | u32 content size | blocks | u32 content checksum          (integers little-endian)
 *
 *   descriptor: bits 7-6 content size form: 2, four bytes; 5 single segment: 1, the window is the content;
 *               2 checksum: 1; 1-0 dictionary: 0
 *   block: u24 header: bit 0 last, bits 2-1 type, the rest size; then the data: one byte for type 1, else `size` bytes
 */
const MAGIC = 0xfd2fb528;
const DESCRIPTOR = 0xa4;
export const HEADER_BYTES = 9;
export const BLOCK_HEADER_BYTES = 3;
export const CHECKSUM_BYTES = 4;

/** Small, because a frame is held whole, packed and unpacked; the best level loses 0.3 % by it. */
export const FRAME_CONTENT_BYTES = 8 * 1024 * 1024;

/** No frame is larger: what does not get smaller is stored, in blocks that are never tiny. */
export const FRAME_MAX_BYTES = FRAME_CONTENT_BYTES + FRAME_CONTENT_BYTES / 128;

const BLOCK_MAX_BYTES = 128 * 1024;
const RESERVED_BLOCK = 3;

/** The parts of the frame for `content`, which the library packed as `packed`: a frame with a header of its own. */
export function frameParts(content: Uint8Array, packed: Uint8Array): Uint8Array[] {
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, MAGIC, true);
  header.setUint8(4, DESCRIPTOR);
  header.setUint32(5, content.length, true);
  const checksum = new DataView(new ArrayBuffer(CHECKSUM_BYTES));
  checksum.setUint32(0, contentChecksum(content), true);
  const blocks = packed.subarray(foreignHeaderBytes(packed));
  return [new Uint8Array(header.buffer), blocks, new Uint8Array(checksum.buffer)];
}

/** The length of any frame header without checksum and dictionary, sections 3.1.1.1.1 to 3.1.1.1.4. */
function foreignHeaderBytes(frame: Uint8Array): number {
  const descriptor = frame[4] ?? 0xff;
  if ((descriptor & 0b1111) !== 0) {
    throw new UpdateRepositoryError(
      'INTERNAL',
      `zstd library: expected frames without checksum and dictionary, found descriptor ${descriptor}`,
    );
  }
  const singleSegment = (descriptor & 0x20) !== 0;
  const [windowBytes, shortSizeBytes] = singleSegment ? [0, 1] : [1, 0];
  return 5 + windowBytes + [shortSizeBytes, 2, 4, 8][descriptor >> 6]!;
}

/** The content's size where `frame` starts with a header of the form above, else `undefined`. */
export function parseFrameHeader(frame: Uint8Array): number | undefined {
  if (frame.length < HEADER_BYTES) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(4) !== DESCRIPTOR) return undefined;
  const contentBytes = view.getUint32(5, true);
  return contentBytes <= FRAME_CONTENT_BYTES ? contentBytes : undefined;
}

/** The checksum at the end of a whole frame. */
export function parseChecksum(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(frame.length - CHECKSUM_BYTES, true);
}

/** What a block's header says, sections 3.1.1.2.1 to 3.1.1.2.3; `undefined` where it is cut off or breaks the format. */
export function parseBlockHeader(header: Uint8Array): { last: boolean; dataBytes: number } | undefined {
  const [low, middle, high] = header;
  if (low === undefined || middle === undefined || high === undefined) return undefined;
  const word = low | (middle << 8) | (high << 16);
  const type = (word >> 1) & 3;
  const size = word >> 3;
  if (type === RESERVED_BLOCK || size > BLOCK_MAX_BYTES) return undefined;
  return { last: (word & 1) === 1, dataBytes: type === 1 ? 1 : size };
}
