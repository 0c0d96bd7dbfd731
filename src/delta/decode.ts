import { type ErrorData, UpdateRepositoryError } from '../errors.js';
import { DELTA_START, type DeltaPlace } from './delta-place.js';
import {
  COMMAND_HEADER_MAX_BYTES,
  DELTA_MAGIC,
  DELTA_MAGIC_BYTES,
  OP_COPY_FIRST,
  OP_COPY_LAST,
  OP_END,
  OP_LITERAL_FIRST_WIDTH,
  OP_LITERAL_MAX_INLINE,
} from './format.js';

/** Who gets a delta's commands, in the order of the target. */
export interface DeltaReceiver {
  /** How many bytes of the target it can take now; left out, any number. */
  readonly room?: number;
  /**
   * The next bytes of the target are `bytes` from `from` to before `to`, at least one. Valid until the call returns; a
   * literal may come in pieces.
   */
  literal(bytes: Uint8Array, from: number, to: number): void;
  /** The next `length` bytes of the target are the base's from `offset` on; at least 1, and may be a part of a copy. */
  copy(offset: number, length: number): void;
}

/** What a delta may do. A bound that is left out is not checked. */
export interface DeltaBounds {
  /** How messages name the delta: its path or address. */
  readonly name: string;
  /** Size of the base: no copy may reach past it. */
  readonly baseBytes?: number;
  /** Size of the target: the delta must yield exactly that many bytes. */
  readonly targetBytes?: number;
}

/**
 * Reads a delta from an untrusted source in pieces of any size, as they are downloaded or read. Every command is
 * checked before the receiver sees any of it; what breaks the format or the bounds throws FORMAT with the offset in
 * the delta, what was expected and what was found. After a throw the decoder is of no use any more.
 *
 * Holds a few bytes, whatever the delta says.
 */
export class DeltaDecoder {
  readonly #bounds: DeltaBounds;
  readonly #receiver: DeltaReceiver;
  /** The bytes of a header that a piece cut. */
  readonly #header = new Uint8Array(COMMAND_HEADER_MAX_BYTES);
  #headerUsed = 0;
  #started: boolean;
  #ended = false;
  /** What is left of the command that runs. */
  #literalLeft: number;
  #copyLeft = 0;
  #copyOffset = 0;
  #copyBytes = 0;
  /** What was made before of the copy that comes first. */
  #copyDone: number;
  /** Bytes of the target by the commands so far, with what is left of the one that runs. */
  #targetBytes: number;
  /** Offset in the delta of the piece being parsed, and of the command whose header is being collected. */
  #pieceOffset: number;
  #commandOffset: number;

  /**
   * The first piece is the delta's from the place `from` on.
   *
   * @throws UpdateRepositoryError USAGE for a bound that is no size
   */
  constructor(bounds: DeltaBounds, receiver: DeltaReceiver, from: DeltaPlace = DELTA_START) {
    requireSize(bounds.name, 'base', bounds.baseBytes);
    requireSize(bounds.name, 'target', bounds.targetBytes);
    this.#bounds = bounds;
    this.#receiver = receiver;
    this.#started = from.deltaBytes > 0;
    this.#literalLeft = from.literalLeft;
    this.#copyDone = from.copyDone;
    this.#targetBytes = from.targetBytes + from.literalLeft - from.copyDone;
    this.#pieceOffset = from.deltaBytes;
    this.#commandOffset = from.deltaBytes;
  }

  /**
   * Parses the next piece of the delta until the receiver has no room; returns how many bytes of it are done with. The
   * others, and while it {@link isPending} nothing, are to be pushed again once there is room.
   */
  push(piece: Uint8Array): number {
    let at = 0;
    for (;;) {
      if (this.#copyLeft > 0) {
        if (!this.#passCopy()) break;
      } else if (at === piece.length) {
        break;
      } else if (this.#literalLeft > 0) {
        const end = this.#passLiteral(piece, at);
        if (end === at) break;
        at = end;
      } else {
        at = this.#readHeader(piece, at);
      }
    }
    this.#pieceOffset += at;
    return at;
  }

  /** Where another decoder would go on, with what the receiver has got so far. */
  get place(): DeltaPlace {
    const targetBytes = this.#targetBytes - this.#literalLeft - this.#copyLeft + this.#copyDone;
    const isAtCommand = this.#copyLeft > 0 || this.#headerUsed > 0 || this.#ended;
    return {
      deltaBytes: isAtCommand ? this.#commandOffset : this.#pieceOffset,
      targetBytes,
      literalLeft: this.#literalLeft,
      copyDone: this.#copyLeft > 0 ? this.#copyBytes - this.#copyLeft : this.#copyDone,
    };
  }

  /** Whether the end command has come. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Where in the delta the command begins that runs, or ran last. */
  get commandOffset(): number {
    return this.#commandOffset;
  }

  /** Whether there is a rest of a copy that the receiver had no room for. */
  get isPending(): boolean {
    return this.#copyLeft > 0;
  }

  /** Says that the delta is over; returns the bytes of the target that it yielded. */
  finish(): number {
    const expected = this.#bounds.targetBytes;
    if (!this.#ended) {
      throw this.#malformed(this.#pieceOffset, 'its end command', 'the end of the data', 'it is truncated');
    }
    if (expected !== undefined && this.#targetBytes !== expected) {
      throw this.#malformed(this.#commandOffset, `a target of ${expected} bytes`, `${this.#targetBytes} bytes`);
    }
    return this.#targetBytes;
  }

  /** Hands on what the piece has of a literal, as far as there is room; returns where that ends. */
  #passLiteral(piece: Uint8Array, at: number): number {
    const length = Math.min(piece.length - at, this.#literalLeft, this.#receiver.room ?? Number.POSITIVE_INFINITY);
    if (length === 0) return at;
    this.#literalLeft -= length;
    this.#receiver.literal(piece, at, at + length);
    return at + length;
  }

  /** Hands on what is left of a copy, as far as there is room; false when there is none. */
  #passCopy(): boolean {
    const length = Math.min(this.#copyLeft, this.#receiver.room ?? Number.POSITIVE_INFINITY);
    if (length === 0) return false;
    const offset = this.#copyOffset;
    this.#copyOffset = offset + length;
    this.#copyLeft -= length;
    this.#receiver.copy(offset, length);
    return true;
  }

  /** Runs the command at `at` when the piece has its header whole, else keeps what there is of it. */
  #readHeader(piece: Uint8Array, at: number): number {
    if (this.#headerUsed > 0) return this.#completeHeader(piece, at);
    this.#commandOffset = this.#pieceOffset + at;
    const length = this.#headerBytes(piece[at]!);
    if (at + length <= piece.length) {
      this.#run(piece, at);
      return at + length;
    }
    return this.#completeHeader(piece, at);
  }

  #completeHeader(piece: Uint8Array, at: number): number {
    const wanted = this.#headerBytes(this.#headerUsed > 0 ? this.#header[0]! : piece[at]!);
    const end = Math.min(piece.length, at + wanted - this.#headerUsed);
    this.#header.set(piece.subarray(at, end), this.#headerUsed);
    this.#headerUsed += end - at;
    if (this.#headerUsed === wanted) {
      this.#headerUsed = 0;
      this.#run(this.#header, 0);
    }
    return end;
  }

  /** Bytes of the header that starts with `opcode`. */
  #headerBytes(opcode: number): number {
    if (!this.#started) return DELTA_MAGIC_BYTES;
    if (this.#ended) {
      throw this.#malformed(this.#commandOffset, 'nothing after the end command', hexByte(opcode));
    }
    if (opcode <= OP_LITERAL_MAX_INLINE) return 1;
    if (opcode < OP_COPY_FIRST) return 1 + (1 << (opcode - OP_LITERAL_FIRST_WIDTH));
    if (opcode > OP_COPY_LAST) {
      throw this.#malformed(this.#commandOffset, 'a command', `the reserved opcode ${hexByte(opcode)}`);
    }
    const code = opcode - OP_COPY_FIRST;
    return 1 + (1 << (code >> 2)) + (1 << (code & 3));
  }

  #run(header: Uint8Array, at: number): void {
    const opcode = header[at]!;
    if (!this.#started) {
      this.#start(header, at);
    } else if (this.#copyDone > 0 && opcode < OP_COPY_FIRST) {
      throw this.#malformed(this.#commandOffset, `a copy that ${this.#copyDone} bytes are made of`, hexByte(opcode));
    } else if (opcode === OP_END) {
      this.#ended = true;
    } else if (opcode <= OP_LITERAL_MAX_INLINE) {
      this.#literalLeft = this.#admit(opcode);
    } else if (opcode < OP_COPY_FIRST) {
      this.#literalLeft = this.#admit(this.#integer(header, at + 1, 1 << (opcode - OP_LITERAL_FIRST_WIDTH)));
    } else {
      const code = opcode - OP_COPY_FIRST;
      const offsetWidth = 1 << (code >> 2);
      this.#copy(
        this.#integer(header, at + 1, offsetWidth),
        this.#integer(header, at + 1 + offsetWidth, 1 << (code & 3)),
      );
    }
  }

  #start(header: Uint8Array, at: number): void {
    const magic = this.#integer(header, at, DELTA_MAGIC_BYTES);
    if (magic !== DELTA_MAGIC) {
      throw this.#malformed(0, `the magic ${hexWord(DELTA_MAGIC)} of a delta`, hexWord(magic));
    }
    this.#started = true;
  }

  #copy(offset: number, length: number): void {
    this.#admit(length);
    const base = this.#bounds.baseBytes;
    if (base !== undefined && offset + length > base) {
      const found = `${length} bytes at ${offset}`;
      throw this.#malformed(this.#commandOffset, `a copy inside the base's ${base} bytes`, found);
    }
    if (this.#copyDone >= length) {
      throw this.#malformed(this.#commandOffset, `a copy of more than ${this.#copyDone} bytes`, `${length} bytes`);
    }
    this.#copyOffset = offset + this.#copyDone;
    this.#copyBytes = length;
    this.#copyLeft = length - this.#copyDone;
    this.#copyDone = 0;
  }

  /** Lets a command yield `length` bytes, if it may. */
  #admit(length: number): number {
    if (length === 0) throw this.#malformed(this.#commandOffset, 'a command of at least 1 byte', '0 bytes');
    const total = this.#targetBytes + length;
    const expected = this.#bounds.targetBytes ?? Number.MAX_SAFE_INTEGER;
    if (total > expected) {
      throw this.#malformed(this.#commandOffset, `a target of ${expected} bytes`, `at least ${total} bytes`);
    }
    this.#targetBytes = total;
    return length;
  }

  #integer(bytes: Uint8Array, at: number, width: number): number {
    let value = 0;
    for (let i = 0; i < width; i += 1) value = value * 256 + bytes[at + i]!;
    if (Number.isSafeInteger(value)) return value;
    throw this.#malformed(this.#commandOffset, `an integer up to ${Number.MAX_SAFE_INTEGER}`, `about ${value}`);
  }

  #malformed(offset: number, expected: string, found: string, verdict = 'it is damaged'): UpdateRepositoryError {
    const data: ErrorData = { path: this.#bounds.name, offset, expected, found };
    const message = `${this.#bounds.name}: at byte ${offset} of the delta: expected ${expected}, found ${found}`;
    return new UpdateRepositoryError('FORMAT', message, { data, hint: `${verdict}, or made for another base` });
  }
}

/** A bound that is NaN would be none. */
function requireSize(name: string, of: 'base' | 'target', bytes: number | undefined): void {
  if (bytes === undefined || (Number.isSafeInteger(bytes) && bytes >= 0)) return;
  throw new UpdateRepositoryError('USAGE', `${name}: expected the size of its ${of} in bytes, found ${bytes}`, {
    data: { path: name },
  });
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}

function hexWord(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
