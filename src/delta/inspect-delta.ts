import type { DeltaInspection } from '../inspection.js';
import { makeBreather } from './breather.js';
import { DeltaDecoder, type DeltaReceiver } from './decode.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { SourceFile } from './source-file.js';

const CHUNK_BYTES = 262144;

/** The delta that a file has compressed, in pieces that are valid until the next is asked for. */
export type Unpack = (file: SourceFile) => Iterable<Uint8Array>;

/**
 * Reads a delta, which `unpack` gets out of the file where it is compressed, and counts what it consists of, without its
 * base. Progress counts its bytes. Lets the event loop run now and then.
 *
 * @throws UpdateRepositoryError FORMAT for one that is malformed; CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO; what
 *   `unpack` throws
 */
export async function inspectDelta(path: string, hooks: DeltaHooks = {}, unpack?: Unpack): Promise<DeltaInspection> {
  const breathe = makeBreather();
  const file = new SourceFile(path);
  try {
    const counter = new CommandCounter(path);
    let doneBytes = 0;
    for (const piece of unpack?.(file) ?? file.chunks(CHUNK_BYTES)) {
      counter.push(piece);
      doneBytes += piece.length;
      reportProgress(doneBytes, path, hooks);
      await breathe();
    }
    const counts = counter.finish();
    file.assertUnchanged();
    const unpackedBytes = unpack === undefined ? null : doneBytes;
    return { kind: 'delta', unpackedBytes, expansion: counts.targetBytes / file.sizeBytes, ...counts };
  } finally {
    file.close();
  }
}

class CommandCounter implements DeltaReceiver {
  readonly #decoder: DeltaDecoder;
  #copyCommands = 0;
  #copiedBytes = 0;
  #literalCommands = 0;
  #literalBytes = 0;
  #longestLiteralBytes = 0;
  #baseMinBytes = 0;
  /** The literal that runs: where in the delta it began, and its bytes so far. */
  #literalOffset = -1;
  #literalLength = 0;

  constructor(name: string) {
    this.#decoder = new DeltaDecoder({ name }, this);
  }

  push(piece: Uint8Array): void {
    this.#decoder.push(piece);
  }

  finish(): Omit<DeltaInspection, 'kind' | 'unpackedBytes' | 'expansion'> {
    return {
      targetBytes: this.#decoder.finish(),
      copyCommands: this.#copyCommands,
      copiedBytes: this.#copiedBytes,
      literalCommands: this.#literalCommands,
      literalBytes: this.#literalBytes,
      longestLiteralBytes: this.#longestLiteralBytes,
      baseMinBytes: this.#baseMinBytes,
    };
  }

  literal(_bytes: Uint8Array, from: number, to: number): void {
    if (this.#literalOffset !== this.#decoder.commandOffset) {
      this.#literalOffset = this.#decoder.commandOffset;
      this.#literalLength = 0;
      this.#literalCommands += 1;
    }
    this.#literalLength += to - from;
    this.#literalBytes += to - from;
    this.#longestLiteralBytes = Math.max(this.#longestLiteralBytes, this.#literalLength);
  }

  copy(offset: number, length: number): void {
    this.#copyCommands += 1;
    this.#copiedBytes += length;
    this.#baseMinBytes = Math.max(this.#baseMinBytes, offset + length);
  }
}
