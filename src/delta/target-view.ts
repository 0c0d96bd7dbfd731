import type { BaseReader } from './base-reader.js';
import type { CommandList } from './command-list.js';
import { putText } from './commands.js';
import { FilePages } from './file-pages.js';
import type { DeltaHooks } from './hooks.js';
import { listCommands } from './list-commands.js';
import { SourceFile } from './source-file.js';

/** A literal up to this long is read over, where the base goes on behind it as before: one read instead of two. */
const BRIDGED_LITERAL_BYTES = 4096;
/** A longer literal is read where it is wanted, without the cache. */
const CACHED_LITERAL_BYTES = 16384;

/** What a view is made of. */
export interface ViewRequest {
  /** What the delta starts from: a file or another view. It stays the caller's to close. */
  readonly base: BaseReader;
  readonly deltaPath: string;
  /** Size that the target must have; left out, any. */
  readonly targetBytes?: number;
  /** What the list of the delta's commands may take, at 16 bytes a command. */
  readonly memoryBytes: number;
}

/**
 * The target of a delta, read at any place without being made: a look-up tells which bytes of the base and which
 * literals of the delta each part of it is. It can be the base of the next delta and of the next view. Holds the list of
 * the delta's commands and 4 MiB.
 *
 * The bytes are those that the delta says, unchecked: compare the sha256 of what comes of them in the end.
 */
export class TargetView implements BaseReader, Disposable {
  readonly #base: BaseReader;
  readonly #delta: SourceFile;
  readonly #commands: CommandList;
  readonly #literals: FilePages;
  /** The command that was read last. */
  #near = 0;
  /** Where a literal goes that is being read. */
  #into: Uint8Array = new Uint8Array(0);
  #at = 0;

  private constructor(base: BaseReader, delta: SourceFile, commands: CommandList) {
    this.#base = base;
    this.#delta = delta;
    this.#commands = commands;
    this.#literals = new FilePages(delta);
  }

  /**
   * Reads the delta once and checks every command of it. Progress counts bytes of the delta.
   *
   * @throws UpdateRepositoryError FORMAT for a delta that is malformed, reaches past the base or yields another size;
   * MEMORY when its commands take more than they may; CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, IO
   */
  static async open({ base, deltaPath, ...request }: ViewRequest, hooks: DeltaHooks = {}): Promise<TargetView> {
    const delta = new SourceFile(deltaPath);
    try {
      const commands = await listCommands(delta, { ...request, baseBytes: base.sizeBytes }, hooks);
      return new TargetView(base, delta, commands);
    } catch (error) {
      delta.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#commands.targetBytes;
  }

  /** What the list of commands takes. */
  get memoryBytes(): number {
    return this.#commands.memoryBytes;
  }

  /** @throws UpdateRepositoryError IO or CHANGED_WHILE_READ, of the base or of the delta */
  read(into: Uint8Array, at: number, length: number, position: number): void {
    const end = position + length;
    const shift = at - position;
    let filledEnd = position;
    let index = this.#commands.indexOf(position, this.#near);
    for (let from = position; from < end; index += 1) {
      const to = Math.min(end, this.#commands.startOf(index + 1));
      const place = this.#commands.placeOf(index);
      const start = this.#commands.startOf(index);
      if (place < 0) this.#readLiteral(into, from + shift, to - from, -1 - place + from - start);
      else if (from >= filledEnd) {
        filledEnd = Math.min(end, this.#diagonalEnd(index, end));
        this.#base.read(into, from + shift, filledEnd - from, place + from - start);
      }
      this.#near = index;
      from = to;
    }
  }

  assertUnchanged(): void {
    this.#base.assertUnchanged();
    this.#delta.assertUnchanged();
  }

  /** Closes the delta. */
  [Symbol.dispose](): void {
    this.#delta.close();
  }

  /**
   * Where the last copy ends that comes from the same diagonal as the one at `index` and is divided from it by short
   * literals only. Looks no further than `end`.
   */
  #diagonalEnd(index: number, end: number): number {
    const commands = this.#commands;
    const diagonal = commands.placeOf(index) - commands.startOf(index);
    let last = index;
    while (last + 2 < commands.count && commands.startOf(last + 1) < end) {
      const next = commands.startOf(last + 2);
      const isShort = commands.placeOf(last + 1) < 0 && next - commands.startOf(last + 1) <= BRIDGED_LITERAL_BYTES;
      if (!isShort || commands.placeOf(last + 2) - next !== diagonal || commands.placeOf(last + 2) < 0) break;
      last += 2;
    }
    return commands.startOf(last + 1);
  }

  #readLiteral(into: Uint8Array, at: number, length: number, position: number): void {
    if (length > CACHED_LITERAL_BYTES) {
      this.#delta.read(into, at, length, position);
      return;
    }
    this.#into = into;
    this.#at = at;
    this.#literals.read(position, length, this.#putLiteral);
  }

  readonly #putLiteral = (bytes: Uint8Array, from: number, to: number) => {
    this.#at = putText(this.#into, this.#at, bytes, from, to - from);
  };
}
