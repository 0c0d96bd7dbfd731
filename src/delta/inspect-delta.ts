import type { DeltaInspection } from '../inspection.js';
import { makeBreather } from './breather.js';
import { DeltaDecoder, type DeltaReceiver } from './decode.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { SourceFile } from './source-file.js';

const CHUNK_BYTES = 262144;

/**
 * Reads a delta and counts what it consists of, without its base. Progress counts its bytes. Lets the event loop run now
 * and then.
 *
 * @throws UpdateRepositoryError FORMAT for one that is malformed; CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
 */
export async function inspectDelta(path: string, hooks: DeltaHooks = {}): Promise<DeltaInspection> {
  const breathe = makeBreather();
  const delta = new SourceFile(path);
  try {
    const counter = new CommandCounter(path);
    let doneBytes = 0;
    for (const chunk of delta.chunks(CHUNK_BYTES)) {
      counter.push(chunk);
      doneBytes += chunk.length;
      reportProgress(doneBytes, path, hooks);
      await breathe();
    }
    const counts = counter.finish();
    delta.assertUnchanged();
    return { kind: 'delta', expansion: counts.targetBytes / delta.sizeBytes, ...counts };
  } finally {
    delta.close();
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

  finish(): Omit<DeltaInspection, 'kind' | 'expansion'> {
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
