import { makeBreather } from './breather.js';
import type { CommandList } from './command-list.js';
import { DeltaDecoder, type DeltaReceiver } from './decode.js';
import { type DeltaStatistics, DeltaWriter } from './encode.js';
import { FilePages } from './file-pages.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import { listCommands } from './list-commands.js';
import { type OutputFile, writeNewFile } from './output-file.js';
import { SourceFile } from './source-file.js';

export interface ComposeRequest {
  /** The delta that makes the middle file from the base. */
  readonly firstPath: string;
  /** The delta that makes the target from the middle file. */
  readonly secondPath: string;
  /** Where the delta that makes the target from the base goes. */
  readonly deltaPath: string;
  /** Whether a file that is there may be replaced; left out, it may. */
  readonly force?: boolean;
  /** What the list of the first delta's commands may take, at 16 bytes a command. */
  readonly memoryBytes: number;
  /**
   * A composed delta that grows past it is given up with DELTA_TOO_LARGE. A few bytes of the second delta can stand for
   * any number of the first one's commands, so there has to be an end.
   */
  readonly maxDeltaBytes: number;
}

const CHUNK_BYTES = 262144;
/** After so much of the target the event loop gets a turn. */
const STEP_BYTES = 16 * 1024 * 1024;

/**
 * Makes one delta of two that follow each other, without any image: every copy out of the middle file becomes the copies
 * and literals that the middle file was made of there. Progress counts bytes of the two deltas. Lets the event loop run
 * now and then. Holds the list of the first delta's commands and 5 MiB. Leaves no file behind when it fails. The result
 * is what the two deltas say: compare what it makes with the target's digest before it is published.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed, or a second one that does not fit the first; MEMORY,
 * DELTA_TOO_LARGE, CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, NO_SPACE, IO
 */
export async function composeDeltas(request: ComposeRequest, hooks: DeltaHooks = {}): Promise<DeltaStatistics> {
  const { deltaPath, force = true } = request;
  const first = new SourceFile(request.firstPath);
  try {
    const second = new SourceFile(request.secondPath);
    try {
      const writeDelta = async (output: OutputFile) => {
        const writer = new DeltaWriter((bytes) => output.write(bytes), deltaPath, request.maxDeltaBytes);
        const commands = await listCommands(first, { memoryBytes: request.memoryBytes }, hooks);
        await writeComposed({ first, second, commands, writer }, hooks);
        first.assertUnchanged();
        second.assertUnchanged();
        return writer.finish();
      };
      return await writeNewFile(deltaPath, writeDelta, { force });
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}

interface Composition {
  readonly first: SourceFile;
  readonly second: SourceFile;
  readonly commands: CommandList;
  readonly writer: DeltaWriter;
}

async function writeComposed({ first, second, commands, writer }: Composition, hooks: DeltaHooks): Promise<void> {
  const breathe = makeBreather();
  const resolver = new CopyResolver(commands, new FilePages(first), writer);
  const decoder = new DeltaDecoder({ name: second.path, baseBytes: commands.targetBytes }, resolver);
  let doneBytes = first.sizeBytes;
  for (const chunk of second.chunks(CHUNK_BYTES)) {
    for (let at = 0; at < chunk.length || decoder.isPending; ) {
      at += decoder.push(chunk.subarray(at));
      resolver.room = STEP_BYTES;
      reportProgress(doneBytes + at, second.path, hooks);
      await breathe();
    }
    doneBytes += chunk.length;
  }
  decoder.finish();
}

/** Passes literals on, and writes for a copy out of the middle file what makes that part of it. */
class CopyResolver implements DeltaReceiver {
  readonly #commands: CommandList;
  readonly #literals: FilePages;
  readonly #writer: DeltaWriter;
  #index = 0;
  room = STEP_BYTES;

  constructor(commands: CommandList, literals: FilePages, writer: DeltaWriter) {
    this.#commands = commands;
    this.#literals = literals;
    this.#writer = writer;
  }

  literal(bytes: Uint8Array, from: number, to: number): void {
    this.#writer.literal(bytes, from, to);
    this.room -= to - from;
  }

  copy(offset: number, length: number): void {
    const end = offset + length;
    let index = this.#commands.indexOf(offset, this.#index);
    for (let at = offset; at < end; index += 1) {
      const skipped = at - this.#commands.startOf(index);
      const part = Math.min(end, this.#commands.startOf(index + 1)) - at;
      this.#write(this.#commands.placeOf(index), skipped, part);
      this.#index = index;
      at += part;
    }
    this.room -= length;
  }

  #write(place: number, skipped: number, length: number): void {
    if (place >= 0) this.#writer.copy(place + skipped, length);
    else this.#literals.read(-1 - place + skipped, length, this.#passLiteral);
  }

  readonly #passLiteral = (bytes: Uint8Array, from: number, to: number) => this.#writer.literal(bytes, from, to);
}
