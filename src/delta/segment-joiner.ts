import { type CommandBytes, putCopy, putInteger } from './commands.js';
import { type DeltaStatistics, deltaTooLarge } from './encode.js';
import type { CommandCounts, Copy, EncodedSegment } from './encoded-segment.js';
import { COMMAND_HEADER_MAX_BYTES, DELTA_MAGIC, DELTA_MAGIC_BYTES, OP_END } from './format.js';

/** Numbers of the shared state. */
const STATE_NUMBERS = 7;

/** Bytes of the joiner's state. */
export const JOINER_BYTES = 8 * STATE_NUMBERS;

/** Stores bytes of the delta at a position. */
export type WriteAt = (bytes: Uint8Array, position: number) => void;

/**
 * Joins encoded segments to a delta: a copy that goes on across a border becomes one command. Its state is in shared
 * memory, so that one thread can go on where another one stopped; one at a time.
 */
export class SegmentJoiner {
  /** Bytes written; the copy that may go on: position, length; commands and bytes so far as in CommandCounts. */
  readonly #state: Float64Array;
  readonly #write: WriteAt;
  readonly #name: string;
  readonly #maxDeltaBytes: number;
  readonly #command: CommandBytes;

  /** `name` is the delta's in messages. */
  constructor(buffer: SharedArrayBuffer, address: number, write: WriteAt, name: string, maxDeltaBytes: number) {
    this.#state = new Float64Array(buffer, address, STATE_NUMBERS);
    this.#write = write;
    this.#name = name;
    this.#maxDeltaBytes = maxDeltaBytes;
    const bytes = new Uint8Array(COMMAND_HEADER_MAX_BYTES);
    this.#command = { bytes, view: new DataView(bytes.buffer) };
  }

  /** Begins a delta. */
  start(): void {
    this.#state.fill(0);
    putInteger(this.#command.view, 0, DELTA_MAGIC, 2);
    this.#put(this.#command.bytes, DELTA_MAGIC_BYTES);
  }

  /** @throws UpdateRepositoryError DELTA_TOO_LARGE, or what writing throws */
  append(segment: EncodedSegment): void {
    this.#copy(segment.lead);
    if (segment.bodyBytes > 0) {
      this.#endCopy();
      this.#put(segment.body, segment.bodyBytes);
      this.#count(segment.counts);
    }
    this.#copy(segment.tail);
  }

  /** Ends the delta. */
  finish(): void {
    this.#endCopy();
    this.#command.bytes[0] = OP_END;
    this.#put(this.#command.bytes, 1);
  }

  /** What was written. */
  statistics(): DeltaStatistics {
    const [deltaBytes = 0, , , copyCommands = 0, copiedBytes = 0, literalCommands = 0, literalBytes = 0] = this.#state;
    return { deltaBytes, copyCommands, copiedBytes, literalCommands, literalBytes };
  }

  #copy({ position, length }: Copy): void {
    if (length === 0) return;
    const [, pending = 0, pendingLength = 0] = this.#state;
    if (pendingLength > 0 && position === pending + pendingLength) {
      this.#state[2] = pendingLength + length;
      return;
    }
    this.#endCopy();
    this.#state[1] = position;
    this.#state[2] = length;
  }

  #endCopy(): void {
    const [, position = 0, length = 0] = this.#state;
    if (length === 0) return;
    this.#put(this.#command.bytes, putCopy(this.#command, 0, position, length));
    this.#count({ copyCommands: 1, copiedBytes: length, literalCommands: 0, literalBytes: 0 });
    this.#state[2] = 0;
  }

  #count({ copyCommands, copiedBytes, literalCommands, literalBytes }: CommandCounts): void {
    const counts = [copyCommands, copiedBytes, literalCommands, literalBytes];
    for (const [n, count] of counts.entries()) this.#state[3 + n] = this.#state[3 + n]! + count;
  }

  #put(bytes: Uint8Array, length: number): void {
    const position = this.#state[0]!;
    const deltaBytes = position + length;
    if (deltaBytes > this.#maxDeltaBytes) throw deltaTooLarge(this.#name, this.#maxDeltaBytes, deltaBytes);
    this.#write(bytes.subarray(0, length), position);
    this.#state[0] = deltaBytes;
  }
}
