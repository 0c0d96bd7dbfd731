import { SEGMENT_BYTES } from './parameters.js';

const HEADER_BYTES = 72;

/** Room for one segment as commands, whatever is in it: a copy takes no more than it yields, a literal twice that. */
export const ENCODED_SEGMENT_BYTES = HEADER_BYTES + (SEGMENT_BYTES * 9) / 8 + 1024;

/**
 * A target segment as commands in shared memory, where one thread makes it and another one may write it: `struct
 * encoded` of native/abi.h. A copy at its very start or end may go on into the next segment, so it is not in the body.
 */
export class EncodedSegment {
  /** The body is the first {@link bodyBytes} bytes of it. */
  readonly body: Uint8Array;
  readonly #header: Float64Array;

  constructor(buffer: ArrayBufferLike, address: number) {
    this.#header = new Float64Array(buffer, address, HEADER_BYTES / 8);
    this.body = new Uint8Array(buffer, address + HEADER_BYTES, ENCODED_SEGMENT_BYTES - HEADER_BYTES);
  }

  get bodyBytes(): number {
    return this.#header[0]!;
  }

  /** A copy that the segment starts with; of a segment that is one copy there is no more than it. */
  get lead(): Copy {
    return { position: this.#header[1]!, length: this.#header[2]! };
  }

  /** A copy that the segment ends with. */
  get tail(): Copy {
    return { position: this.#header[3]!, length: this.#header[4]! };
  }

  /** What the body consists of. */
  get counts(): CommandCounts {
    const [, , , , , copyCommands = 0, copiedBytes = 0, literalCommands = 0, literalBytes = 0] = this.#header;
    return { copyCommands, copiedBytes, literalCommands, literalBytes };
  }

  describe(bodyBytes: number, lead: Copy, tail: Copy, counts: CommandCounts): void {
    const { copyCommands, copiedBytes, literalCommands, literalBytes } = counts;
    this.#header.set([bodyBytes, lead.position, lead.length, tail.position, tail.length]);
    this.#header.set([copyCommands, copiedBytes, literalCommands, literalBytes], 5);
  }
}

/** `length` bytes of the base from `position` on; none when it is 0. */
export interface Copy {
  readonly position: number;
  readonly length: number;
}

export const NO_COPY: Copy = { position: 0, length: 0 };

/** Commands of a stretch of a delta, and the bytes that they yield. */
export interface CommandCounts {
  readonly copyCommands: number;
  readonly copiedBytes: number;
  readonly literalCommands: number;
  readonly literalBytes: number;
}
