import { damagedData } from './damage.js';

/** From this length on, the call of a built-in copy costs less than a loop. */
const LONG_COPY_BYTES = 48;

/**
 * What the codecs of the Lempel-Ziv family share: compressed bytes that are read in order, and a bounded output that
 * grows by literals and by matches, copies of what it holds already. No call reads or writes outside either; the one
 * that would throws FORMAT. Holds `maxOutputBytes` of memory beside the input.
 */
export class LzStream {
  /** How far the input is read. */
  inputAt = 0;
  readonly input: Uint8Array;
  private readonly codec: string;
  private readonly output: Uint8Array;
  private outputAt = 0;

  constructor(codec: string, input: Uint8Array, maxOutputBytes: number) {
    this.codec = codec;
    this.input = input;
    this.output = new Uint8Array(maxOutputBytes);
  }

  get outputBytes(): number {
    return this.outputAt;
  }

  /** How much it can hold unpacked. */
  get capacityBytes(): number {
    return this.output.length;
  }

  get remainingInputBytes(): number {
    return this.input.length - this.inputAt;
  }

  readByte(): number {
    const byte = this.input[this.inputAt];
    if (byte === undefined) throw this.damaged('more data', 'its end');
    this.inputAt += 1;
    return byte;
  }

  /** The next `count` bytes of the input, not copied. */
  take(count: number): Uint8Array {
    if (count > this.remainingInputBytes) throw this.damaged(`${count} more bytes`, `${this.remainingInputBytes}`);
    this.inputAt += count;
    return this.input.subarray(this.inputAt - count, this.inputAt);
  }

  copyLiterals(count: number): void {
    if (count > this.remainingInputBytes) throw this.damaged(`${count} literals`, `${this.remainingInputBytes}`);
    this.append(this.input, this.inputAt, count);
    this.inputAt += count;
  }

  /** Appends `count` bytes of `source`, which has them. */
  append(source: Uint8Array, from: number, count: number): void {
    this.checkSpace(count);
    const { output, outputAt } = this;
    if (count >= LONG_COPY_BYTES) output.set(source.subarray(from, from + count), outputAt);
    else for (let i = 0; i < count; i += 1) output[outputAt + i] = source[from + i]!;
    this.outputAt += count;
  }

  appendRepeated(byte: number, count: number): void {
    this.checkSpace(count);
    this.output.fill(byte, this.outputAt, this.outputAt + count);
    this.outputAt += count;
  }

  /** A match that is longer than its distance repeats what it writes itself. */
  copyMatch(distance: number, length: number): void {
    const { output, outputAt } = this;
    if (distance < 1 || distance > outputAt) throw this.damaged(`a distance of 1 to ${outputAt}`, `${distance}`);
    this.checkSpace(length);
    const from = outputAt - distance;
    if (length >= LONG_COPY_BYTES && length <= distance) output.copyWithin(outputAt, from, from + length);
    else for (let i = 0; i < length; i += 1) output[outputAt + i] = output[from + i]!;
    this.outputAt += length;
  }

  /** Everything that was unpacked, not copied. */
  unpacked(): Uint8Array {
    return this.output.subarray(0, this.outputAt);
  }

  /** What was unpacked from the byte `from` on, not copied. */
  unpackedFrom(from: number): Uint8Array {
    return this.output.subarray(from, this.outputAt);
  }

  /** Makes room for `count` bytes more where there is none, by forgetting all that was unpacked but its last `keptBytes`. */
  slide(count: number, keptBytes: number): void {
    if (count <= this.output.length - this.outputAt) return;
    const from = Math.max(0, this.outputAt - keptBytes);
    this.output.copyWithin(0, from, this.outputAt);
    this.outputAt -= from;
  }

  /** Forgets all that was unpacked. */
  clear(): void {
    this.outputAt = 0;
  }

  /** The error for what the input says at the present place. */
  damaged(expected: string, found: string): Error {
    return damagedData(this.codec, this.inputAt, expected, found);
  }

  private checkSpace(count: number): void {
    if (count <= this.output.length - this.outputAt) return;
    throw this.damaged(`at most ${this.output.length} unpacked bytes`, `${this.outputAt + count}`);
  }
}
