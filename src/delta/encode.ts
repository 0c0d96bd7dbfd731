import { UpdateRepositoryError } from '../errors.js';
import { type CommandBytes, putCopy, putInteger, putLiteralHeader, putText } from './commands.js';
import { COMMAND_HEADER_MAX_BYTES, DELTA_MAGIC, LITERAL_MAX_BYTES, OP_END } from './format.js';

/** What a delta consists of. */
export interface DeltaStatistics {
  /** Size of the delta itself, in bytes. */
  readonly deltaBytes: number;
  readonly copyCommands: number;
  /** Bytes of the target that come from the base. */
  readonly copiedBytes: number;
  readonly literalCommands: number;
  /** Bytes of the target that the delta carries. */
  readonly literalBytes: number;
}

const OUTPUT_BYTES = 262144;

/**
 * Writes a delta in the order of the target: whoever calls it hands over adjacent pieces, and it joins what belongs
 * together (copies that continue each other in the base, literals up to 32 KiB), with integers as narrow as they fit.
 * Its bytes depend on the sequence of target pieces alone, not on how a literal or a copy was cut into calls.
 *
 * Holds 288 KiB. The sink must use or copy what it gets before it returns.
 */
export class DeltaWriter {
  readonly #output: CommandBytes;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #name: string;
  readonly #maxDeltaBytes: number;
  #outputUsed = 0;
  #flushedBytes = 0;

  readonly #literal = new Uint8Array(LITERAL_MAX_BYTES);
  #literalUsed = 0;
  #copyOffset = 0;
  #copyLength = 0;

  #copyCommands = 0;
  #copiedBytes = 0;
  #literalCommands = 0;
  #literalBytes = 0;

  /** `name` is the delta's in messages; one that grows past `maxDeltaBytes` fails with DELTA_TOO_LARGE. */
  constructor(sink: (bytes: Uint8Array) => void, name: string, maxDeltaBytes = Number.POSITIVE_INFINITY) {
    this.#sink = sink;
    this.#name = name;
    this.#maxDeltaBytes = maxDeltaBytes;
    const bytes = new Uint8Array(OUTPUT_BYTES);
    this.#output = { bytes, view: new DataView(bytes.buffer) };
    this.#outputUsed = putInteger(this.#output.view, 0, DELTA_MAGIC, 2);
  }

  /** The next `length` bytes of the target are the base's from `offset` on. Nothing is written for none. */
  copy(offset: number, length: number): void {
    if (length === 0) return;
    if (this.#copyLength > 0 && offset === this.#copyOffset + this.#copyLength) {
      this.#copyLength += length;
      return;
    }
    this.#endPending();
    this.#copyOffset = offset;
    this.#copyLength = length;
  }

  /** The next bytes of the target are `bytes` from `from` to before `to`. */
  literal(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#endCopy();
    for (let at = from; at < to; ) {
      const length = Math.min(to - at, LITERAL_MAX_BYTES - this.#literalUsed);
      this.#literalUsed = putText(this.#literal, this.#literalUsed, bytes, at, length);
      at += length;
      if (this.#literalUsed === LITERAL_MAX_BYTES) this.#endLiteral();
    }
  }

  /** Ends the delta and hands its last bytes to the sink. */
  finish(): DeltaStatistics {
    this.#endPending();
    this.#reserve(1);
    this.#output.bytes[this.#outputUsed++] = OP_END;
    this.#checkSize();
    this.#flush();
    return {
      deltaBytes: this.#flushedBytes,
      copyCommands: this.#copyCommands,
      copiedBytes: this.#copiedBytes,
      literalCommands: this.#literalCommands,
      literalBytes: this.#literalBytes,
    };
  }

  #endPending(): void {
    this.#endCopy();
    this.#endLiteral();
  }

  #endCopy(): void {
    if (this.#copyLength === 0) return;
    this.#reserve(COMMAND_HEADER_MAX_BYTES);
    this.#outputUsed = putCopy(this.#output, this.#outputUsed, this.#copyOffset, this.#copyLength);
    this.#copyCommands += 1;
    this.#copiedBytes += this.#copyLength;
    this.#copyLength = 0;
    this.#checkSize();
  }

  #endLiteral(): void {
    const length = this.#literalUsed;
    if (length === 0) return;
    this.#reserve(COMMAND_HEADER_MAX_BYTES + length);
    const at = putLiteralHeader(this.#output, this.#outputUsed, length);
    this.#outputUsed = putText(this.#output.bytes, at, this.#literal, 0, length);
    this.#literalCommands += 1;
    this.#literalBytes += length;
    this.#literalUsed = 0;
    this.#checkSize();
  }

  #reserve(bytes: number): void {
    if (this.#outputUsed + bytes > OUTPUT_BYTES) this.#flush();
  }

  #flush(): void {
    const bytes = this.#output.bytes.subarray(0, this.#outputUsed);
    this.#flushedBytes += this.#outputUsed;
    this.#outputUsed = 0;
    this.#sink(bytes);
  }

  #checkSize(): void {
    const deltaBytes = this.#flushedBytes + this.#outputUsed;
    if (deltaBytes > this.#maxDeltaBytes) throw deltaTooLarge(this.#name, this.#maxDeltaBytes, deltaBytes);
  }
}

export function deltaTooLarge(path: string, maxDeltaBytes: number, deltaBytes: number): UpdateRepositoryError {
  const message = `${path}: expected a delta of at most ${maxDeltaBytes} bytes, it grew to ${deltaBytes}`;
  return new UpdateRepositoryError('DELTA_TOO_LARGE', message, { data: { path, maxDeltaBytes, deltaBytes } });
}
