import { DeltaDecoder } from './decode.js';
import type { SourceFile } from './source-file.js';

const OUTPUT_MAX_BYTES = 1024 * 1024;
/** Short copies are read ahead by this much: those that follow mostly lie close behind. */
const READ_AHEAD_BYTES = 16384;

/** What a patcher works on. */
export interface PatchInput {
  readonly base: SourceFile;
  /** How messages name the delta: its path or address. */
  readonly deltaName: string;
  /** The delta must yield exactly that many bytes; left out, any number. */
  readonly targetBytes?: number;
}

/**
 * Applies a delta that comes in pieces, as it is read or downloaded, and hands the target's bytes to a sink in order.
 * The sink must use or copy what it gets before it returns. Holds 1 MiB, whatever the delta says.
 *
 * `push` and `finish` throw FORMAT for a delta that is malformed or goes past base or target, and IO or
 * CHANGED_WHILE_READ for the base; what the sink throws passes through.
 */
export class DeltaPatcher {
  readonly #base: SourceFile;
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #decoder: DeltaDecoder;
  readonly #output: Buffer;
  #outputUsed = 0;
  readonly #ahead = Buffer.allocUnsafe(READ_AHEAD_BYTES);
  #aheadStart = 0;
  #aheadEnd = 0;

  constructor(input: PatchInput, sink: (bytes: Uint8Array) => void) {
    this.#base = input.base;
    this.#sink = sink;
    const target = input.targetBytes === undefined ? {} : { targetBytes: input.targetBytes };
    const bounds = { name: input.deltaName, baseBytes: input.base.sizeBytes, ...target };
    this.#decoder = new DeltaDecoder(bounds, {
      literal: (bytes) => this.#literal(bytes),
      copy: (offset, length) => this.#copy(offset, length),
    });
    this.#output = Buffer.allocUnsafe(Math.min(OUTPUT_MAX_BYTES, (input.targetBytes ?? OUTPUT_MAX_BYTES) + 1));
  }

  /** Applies the next piece of the delta. */
  push(piece: Uint8Array): void {
    this.#decoder.push(piece);
  }

  /** Ends the delta, hands the last bytes to the sink and returns the size of the target. */
  finish(): number {
    const targetBytes = this.#decoder.finish();
    this.#flush();
    return targetBytes;
  }

  #literal(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(bytes.length - at, this.#room());
      this.#output.set(bytes.subarray(at, at + length), this.#outputUsed);
      this.#outputUsed += length;
      at += length;
    }
  }

  #copy(offset: number, length: number): void {
    for (let done = 0; done < length; ) {
      const chunk = Math.min(length - done, this.#room());
      this.#read(offset + done, chunk);
      this.#outputUsed += chunk;
      done += chunk;
    }
  }

  /** Appends bytes of the base to the output, without counting them as used yet. */
  #read(position: number, length: number): void {
    if (position >= this.#aheadStart && position + length <= this.#aheadEnd) {
      const from = position - this.#aheadStart;
      this.#ahead.copy(this.#output, this.#outputUsed, from, from + length);
    } else if (length >= READ_AHEAD_BYTES / 4) {
      this.#base.read(this.#output, this.#outputUsed, length, position);
    } else {
      this.#readAhead(position);
      this.#ahead.copy(this.#output, this.#outputUsed, 0, length);
    }
  }

  #readAhead(position: number): void {
    this.#aheadEnd = this.#aheadStart;
    const length = Math.min(READ_AHEAD_BYTES, this.#base.sizeBytes - position);
    this.#base.read(this.#ahead, 0, length, position);
    this.#aheadStart = position;
    this.#aheadEnd = position + length;
  }

  /** Bytes that the output can take, at least 1. */
  #room(): number {
    if (this.#outputUsed === this.#output.length) this.#flush();
    return this.#output.length - this.#outputUsed;
  }

  #flush(): void {
    if (this.#outputUsed === 0) return;
    const bytes = this.#output.subarray(0, this.#outputUsed);
    this.#outputUsed = 0;
    this.#sink(bytes);
  }
}
