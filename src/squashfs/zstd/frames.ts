import { hasCode, UpdateRepositoryError } from '../../errors.js';
import { damagedData } from '../damage.js';
import { LzStream } from '../lz-stream.js';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  CHECKSUM_BYTES,
  FRAME_HEADER_MAX_BYTES,
  type FrameHeader,
  MAX_BLOCK_BYTES,
  readBlockHeader,
  readFrameHeader,
  startOfFrame,
  unpackBlock,
} from './frame.js';

/** A file of zstd frames. */
export interface FramesSource {
  readonly sizeBytes: number;
  /** Fills `into` with the `length` bytes at `position`, which are there. */
  read(into: Uint8Array, at: number, length: number, position: number): void;
}

/** What a file of foreign origin may take. */
export interface FramesLimits {
  readonly maxWindowBytes: number;
  readonly maxOutputBytes: number;
}

/** RFC 8878 asks so much of every decoder (section 3.1.1.1.2), and `zstd -19` takes no more. */
const USUAL_WINDOW_BYTES = 8 * 1024 * 1024;

/** A window is moved when so much was unpacked behind it, so that it is moved seldom. */
const BEHIND_WINDOW_BYTES = 1024 * 1024;

/**
 * Unpacks a row of zstd frames (RFC 8878, section 3) block by block; each piece is valid until the next is asked for. Any
 * input is safe. Memory: the largest window, which is no larger than the whole may get, and 2 MiB. Content checksums are not
 * verified.
 *
 * @throws FORMAT where a frame is damaged, cut off, needs a dictionary or a larger window than is allowed, and where more
 * comes out than is allowed; what `source` throws
 */
export function* unpackZstdFrames(source: FramesSource, limits: FramesLimits): Generator<Uint8Array, void> {
  const input = new Input(source);
  let output = new LzStream('zstd', NOTHING, 0);
  let doneBytes = 0;
  do {
    const header = input.frameHeader();
    const { windowBytes } = header;
    if (windowBytes > limits.maxWindowBytes) {
      throw input.damaged(`a window of at most ${limits.maxWindowBytes} bytes`, `one of ${windowBytes}`);
    }
    const capacityBytes = Math.min(windowBytes, limits.maxOutputBytes) + BEHIND_WINDOW_BYTES;
    if (output.capacityBytes < capacityBytes) output = new LzStream('zstd', NOTHING, capacityBytes);
    output.clear();
    for (const piece of unpackFrame(input, header, output)) {
      doneBytes += piece.length;
      if (doneBytes > limits.maxOutputBytes) {
        throw input.damaged(`at most ${limits.maxOutputBytes} unpacked bytes`, `${doneBytes} or more`);
      }
      yield piece;
    }
  } while (!input.isAtEnd);
}

/**
 * As {@link unpackZstdFrames}, of a file with windows of the usual size, to `maxOutputBytes` at most. What is damaged is told by
 * `name`.
 */
export function* unpackZstdFile(
  source: FramesSource,
  name: string,
  maxOutputBytes: number,
): Generator<Uint8Array, void> {
  try {
    yield* unpackZstdFrames(source, { maxWindowBytes: USUAL_WINDOW_BYTES, maxOutputBytes });
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    throw new UpdateRepositoryError('FORMAT', `${name}: ${error.message}`, { data: error.data, cause: error });
  }
}

function* unpackFrame(input: Input, header: FrameHeader, output: LzStream): Generator<Uint8Array, void> {
  const { windowBytes, maxBlockBytes, contentBytes } = header;
  const state = startOfFrame();
  let frameBytes = 0;
  for (let last = false; !last; ) {
    const block = input.blockHeader(maxBlockBytes);
    output.slide(MAX_BLOCK_BYTES, windowBytes);
    const before = output.outputBytes;
    input.next(block.dataBytes, (data) => unpackBlock(output, block, data, { maxBlockBytes, state }));
    frameBytes += output.outputBytes - before;
    yield output.unpackedFrom(before);
    last = block.last;
  }
  if (header.hasChecksum) input.next(CHECKSUM_BYTES, () => undefined);
  if (contentBytes !== undefined && contentBytes !== frameBytes) {
    throw input.damaged(`${contentBytes} unpacked bytes in the frame`, `${frameBytes}`);
  }
}

const NOTHING = new Uint8Array(0);

/** Reads headers and blocks, one after the other. */
class Input {
  readonly #source: FramesSource;
  readonly #buffer = new Uint8Array(MAX_BLOCK_BYTES);
  #position = 0;

  constructor(source: FramesSource) {
    this.#source = source;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#source.sizeBytes;
  }

  frameHeader(): FrameHeader {
    return this.#header(FRAME_HEADER_MAX_BYTES, readFrameHeader);
  }

  blockHeader(maxBlockBytes: number): BlockHeader {
    return this.#header(BLOCK_HEADER_BYTES, (stream) => readBlockHeader(stream, maxBlockBytes));
  }

  /** Does `work` with the next `count` bytes, which are valid until more are read. */
  next(count: number, work: (bytes: Uint8Array) => void): void {
    const bytes = this.#peek(count);
    if (bytes.length < count) throw this.damaged(`${count} more bytes`, `${bytes.length}`);
    this.#placed(() => work(bytes));
    this.#position += count;
  }

  damaged(expected: string, found: string): Error {
    return damagedData('zstd', this.#position, expected, found);
  }

  #header<T>(maxBytes: number, parse: (stream: LzStream) => T): T {
    const stream = new LzStream('zstd', this.#peek(maxBytes), 0);
    const header = this.#placed(() => parse(stream));
    this.#position += stream.inputAt;
    return header;
  }

  /** What finds damage knows its piece alone. */
  #placed<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!hasCode(error, 'FORMAT')) throw error;
      const { offsetBytes, expected, found } = error.data;
      throw damagedData('zstd', this.#position + Number(offsetBytes), String(expected), String(found), error);
    }
  }

  #peek(maxBytes: number): Uint8Array {
    const length = Math.min(maxBytes, this.#source.sizeBytes - this.#position);
    this.#source.read(this.#buffer, 0, length, this.#position);
    return this.#buffer.subarray(0, length);
  }
}
