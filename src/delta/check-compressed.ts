import { createHash } from 'node:crypto';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { contentChecksum } from './content-checksum.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { SourceFile } from './source-file.js';
import {
  BLOCK_HEADER_BYTES,
  CHECKSUM_BYTES,
  FRAME_CONTENT_BYTES,
  FRAME_MAX_BYTES,
  HEADER_BYTES,
  parseBlockHeader,
  parseChecksum,
  parseFrameHeader,
} from './zst-frame.js';

export interface CheckCompressedRequest {
  readonly zstPath: string;
  /** What it has to unpack to. */
  readonly deltaBytes: number;
  readonly deltaSha256: string;
}

/** Unpacks one zstd frame, to `maxBytes` at most; throws FORMAT when it is damaged. */
export type UnpackFrame = (frame: Uint8Array, maxBytes: number) => Uint8Array;

/**
 * Proves that a file unpacks to a delta, and that it has the form in which {@link compressDelta} writes it. Any file is
 * safe. Progress counts bytes of the delta. Memory: one frame, packed and unpacked, 16 MiB and what `unpack` takes.
 *
 * @throws UpdateRepositoryError VERIFICATION when it unpacks to something else, FORMAT when it is malformed or damaged;
 * CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
 */
export function checkCompressedDelta(
  request: CheckCompressedRequest,
  unpack: UnpackFrame,
  hooks: DeltaHooks = {},
): void {
  const file = new SourceFile(request.zstPath);
  try {
    const found = digestContent(file, request.deltaBytes, unpack, hooks);
    file.assertUnchanged();
    if (found !== request.deltaSha256) throw differs(file, `sha256 ${request.deltaSha256}`, found);
  } finally {
    file.close();
  }
}

function digestContent(file: SourceFile, deltaBytes: number, unpack: UnpackFrame, hooks: DeltaHooks): string {
  const sha256 = createHash('sha256');
  const buffer = new Uint8Array(Math.min(FRAME_MAX_BYTES, file.sizeBytes));
  let done = 0;
  let position = 0;
  do {
    const frame = readFrame(file, position, buffer);
    const content = unpackFrame(file, position, frame, unpack);
    done += content.length;
    position += frame.bytes.length;
    checkFrameSize(file, content.length, done, deltaBytes);
    sha256.update(content);
    reportProgress(done, file.path, hooks);
  } while (position < file.sizeBytes);
  if (done !== deltaBytes) throw differs(file, `${deltaBytes} bytes`, `${done}`);
  return sha256.digest('hex');
}

/** Every frame but the last is full, so that one delta has one packed form. */
function checkFrameSize(file: SourceFile, contentBytes: number, done: number, deltaBytes: number): void {
  if (done > deltaBytes) throw differs(file, `${deltaBytes} bytes`, `${done} or more`);
  if (done === deltaBytes || contentBytes === FRAME_CONTENT_BYTES) return;
  throw differs(file, `${FRAME_CONTENT_BYTES} bytes in each frame but the last`, `${contentBytes}`);
}

interface Frame {
  readonly bytes: Uint8Array;
  /** What its header says of its content. */
  readonly contentBytes: number;
}

/** Reads as much as the frame at `position` may have; the headers of its blocks tell how much of that is the frame. */
function readFrame(file: SourceFile, position: number, buffer: Uint8Array): Frame {
  const bytes = buffer.subarray(0, Math.min(buffer.length, file.sizeBytes - position));
  file.read(bytes, 0, bytes.length, position);
  const contentBytes = parseFrameHeader(bytes);
  if (contentBytes === undefined) throw malformed(file, position, 'the header of a zstd frame as it is written here');
  const end = blocksEnd(file, position, bytes) + CHECKSUM_BYTES;
  if (end > bytes.length) throw malformed(file, position, 'a checksum after the last block');
  return { bytes: bytes.subarray(0, end), contentBytes };
}

function blocksEnd(file: SourceFile, position: number, bytes: Uint8Array): number {
  let end = HEADER_BYTES;
  for (;;) {
    const block = parseBlockHeader(bytes.subarray(end, end + BLOCK_HEADER_BYTES));
    if (block === undefined) throw malformed(file, position + end, 'the header of a block');
    end += BLOCK_HEADER_BYTES + block.dataBytes;
    if (block.last) return end;
  }
}

function unpackFrame(file: SourceFile, position: number, frame: Frame, unpack: UnpackFrame): Uint8Array {
  const content = unpackBounded(file, position, frame, unpack);
  if (contentChecksum(content) === parseChecksum(frame.bytes)) return content;
  throw malformed(file, position, 'a frame whose checksum is right');
}

function unpackBounded(file: SourceFile, position: number, frame: Frame, unpack: UnpackFrame): Uint8Array {
  try {
    return unpack(frame.bytes, frame.contentBytes);
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    throw malformed(file, position, 'a frame that can be unpacked', error);
  }
}

function malformed(
  file: SourceFile,
  position: number,
  expected: string,
  cause?: UpdateRepositoryError,
): UpdateRepositoryError {
  const found = cause?.message ?? (position >= file.sizeBytes ? 'its end' : 'something else');
  return new UpdateRepositoryError(
    'FORMAT',
    `${file.path}: at byte ${position}: expected ${expected}, found ${found}`,
    {
      data: { path: file.path, position },
      cause,
    },
  );
}

function differs(file: SourceFile, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('VERIFICATION', `${file.path}: unpacked, expected ${expected}, found ${found}`, {
    data: { path: file.path, expected, found },
  });
}
