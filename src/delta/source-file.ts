import fs from 'node:fs';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import { readBuffer } from '../io/page-aligned.js';
import type { BaseReader } from './base-reader.js';

/** A file in one state of it. */
export interface SourceState {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

/** A file that is read at random and must not change meanwhile. */
export class SourceFile implements SourceState, BaseReader {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly #fd: number;

  /** @throws UpdateRepositoryError NOT_FOUND or IO */
  constructor(path: string) {
    this.path = path;
    try {
      // O_NONBLOCK, because opening a FIFO would otherwise wait for a writer.
      this.#fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      throw fromSystemError(error, 'open it', path);
    }
    const stat = this.#stat();
    if (!stat.isFile()) {
      this.close();
      throw new UpdateRepositoryError('IO', `${path}: cannot read it: it is no regular file`, { data: { path } });
    }
    this.sizeBytes = stat.size;
    this.modifiedMs = stat.mtimeMs;
    this.inode = stat.ino;
  }

  /**
   * Opens the file again, as another thread found it.
   *
   * @throws UpdateRepositoryError NOT_FOUND, IO, or CHANGED_WHILE_READ when it is in another state
   */
  static inState({ path, sizeBytes, modifiedMs, inode }: SourceState): SourceFile {
    const file = new SourceFile(path);
    try {
      if (file.sizeBytes !== sizeBytes) throw file.#changed(`${sizeBytes} bytes`, `${file.sizeBytes} bytes`);
      if (file.modifiedMs !== modifiedMs) throw file.#changed('one modification time', 'another one');
      if (file.inode !== inode) throw file.#changed('one file', 'another one under its name');
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get state(): SourceState {
    return { path: this.path, sizeBytes: this.sizeBytes, modifiedMs: this.modifiedMs, inode: this.inode };
  }

  /**
   * Fills `into` from `at` on with the `length` bytes at `position`.
   *
   * @throws UpdateRepositoryError IO, or CHANGED_WHILE_READ when the file has become shorter
   */
  read(into: Uint8Array, at: number, length: number, position: number): void {
    for (let done = 0; done < length; ) {
      const count = this.#readSome(into, at + done, length - done, position + done);
      if (count === 0) throw this.#changed(`${this.sizeBytes} bytes`, `its end at byte ${position + done}`);
      done += count;
    }
  }

  /** The file from `start` to its end in pieces of up to `maxBytes`, each valid until the next one is asked for. */
  *chunks(maxBytes: number, start = 0): Generator<Uint8Array, void> {
    const chunk = readBuffer(Math.min(maxBytes, Math.max(0, this.sizeBytes - start)));
    for (let position = start; position < this.sizeBytes; position += chunk.length) {
      const length = Math.min(chunk.length, this.sizeBytes - position);
      this.read(chunk, 0, length, position);
      yield chunk.subarray(0, length);
    }
  }

  /** @throws UpdateRepositoryError CHANGED_WHILE_READ when size or modification time are not those of the opening */
  assertUnchanged(): void {
    const { size, mtimeMs } = this.#stat();
    if (size !== this.sizeBytes) throw this.#changed(`${this.sizeBytes} bytes`, `${size} bytes`);
    if (mtimeMs !== this.modifiedMs) throw this.#changed('one modification time', 'another one');
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #readSome(into: Uint8Array, at: number, length: number, position: number): number {
    try {
      return fs.readSync(this.#fd, into, at, length, position);
    } catch (error) {
      throw fromSystemError(error, 'read it', this.path);
    }
  }

  #stat(): fs.Stats {
    try {
      return fs.fstatSync(this.#fd);
    } catch (error) {
      throw fromSystemError(error, 'examine it', this.path);
    }
  }

  #changed(expected: string, found: string): UpdateRepositoryError {
    const message = `${this.path}: it changed while it was read: expected ${expected}, found ${found}`;
    return new UpdateRepositoryError('CHANGED_WHILE_READ', message, { data: { path: this.path } });
  }
}
