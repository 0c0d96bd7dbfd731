import type { BaseReader } from './base-reader.js';
import { DeltaDecoder } from './decode.js';
import { DELTA_START, type DeltaPlace } from './delta-place.js';
import { TargetBuffer } from './target-buffer.js';

/** So much fits a processor's own cache beside what is read: copying more at once into the page cache takes twice as long. */
const CACHED_PIECE_BYTES = 131072;

/** What a patcher works on. */
export interface PatchInput {
  readonly base: BaseReader;
  /** How messages name the delta: its path or address. */
  readonly deltaName: string;
  /** The delta must yield exactly that many bytes; left out, any number. */
  readonly targetBytes?: number;
  /** Where to go on; left out, it begins at the start. */
  readonly from?: DeltaPlace;
  /** How much the sink gets at once; left out, 128 KiB. */
  readonly pieceBytes?: number;
  /** Makes the buffers that the sink gets the target in. */
  readonly allocate?: (bytes: number) => Uint8Array;
}

/**
 * Applies a delta that comes in pieces, as it is read or downloaded, and hands the target's bytes to a sink in order.
 * A piece is valid until the sink has got another one and the patcher is called again. Holds two of them, whatever the
 * delta says.
 *
 * `push`, `pushSome` and `finish` throw FORMAT for a delta that is malformed or goes past base or target, and IO or
 * CHANGED_WHILE_READ for the base; what the sink throws passes through.
 */
export class DeltaPatcher {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #decoder: DeltaDecoder;
  readonly #target: TargetBuffer;

  constructor(
    { base, deltaName, targetBytes, from = DELTA_START, pieceBytes = CACHED_PIECE_BYTES, allocate }: PatchInput,
    sink: (bytes: Uint8Array) => void,
  ) {
    this.#sink = sink;
    const capacity = Math.min(pieceBytes, (targetBytes ?? pieceBytes) + 1);
    this.#target = new TargetBuffer(base, capacity, allocate, from.targetBytes);
    const bounds = {
      name: deltaName,
      baseBytes: base.sizeBytes,
      ...(targetBytes === undefined ? {} : { targetBytes }),
    };
    this.#decoder = new DeltaDecoder(bounds, this.#target, from);
  }

  /** How far it is, with all that the sink got and what it would get now. */
  get place(): DeltaPlace {
    return this.#decoder.place;
  }

  /** Whether the delta's end command has come. */
  get hasEnded(): boolean {
    return this.#decoder.hasEnded;
  }

  /** Applies the next piece of the delta, however many bytes of the target that makes. */
  push(piece: Uint8Array): void {
    for (let rest: Uint8Array | null = piece; rest !== null; ) rest = this.pushSome(rest);
  }

  /**
   * Applies the next piece until the sink has got one; returns what has to be pushed next, or null when the piece is
   * done. A few bytes of a delta may stand for gigabytes: who wants to wait or to be stopped in between uses this.
   */
  pushSome(piece: Uint8Array): Uint8Array | null {
    const done = this.#decoder.push(piece);
    if (this.#target.room > 0) return null;
    this.#sink(this.#target.take());
    return done < piece.length || this.#decoder.isPending ? piece.subarray(done) : null;
  }

  /** Ends the delta, hands the last bytes to the sink and returns the size of the target. */
  finish(): number {
    const targetBytes = this.#decoder.finish();
    this.flush();
    return targetBytes;
  }

  /** Hands what is made so far to the sink. */
  flush(): void {
    const made = this.#target.take();
    if (made.length > 0) this.#sink(made);
  }
}
