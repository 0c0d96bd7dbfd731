import fs from 'node:fs';
import { fromSystemError } from '../errors.js';

/**
 * The page cache takes as much memory in one piece as it is given at once. That of larger pieces has mostly been free for
 * longer, and a virtual machine has then to get it back from its host first, which takes as long as the writing.
 */
const WRITE_BYTES = 131072;

/** A file that is written in order, from some place on. */
export class WrittenFile {
  readonly path: string;
  readonly #fd: number;
  #position: number;
  #open = true;

  /**
   * Opens the file, or with `wx` makes it. The first byte goes to `position`.
   *
   * @throws UpdateRepositoryError NOT_FOUND, NO_SPACE, or IO: with `wx` also when the file is there
   */
  constructor(path: string, flags: 'wx' | 'r+', position = 0) {
    this.path = path;
    this.#position = position;
    try {
      this.#fd = fs.openSync(path, flags, 0o644);
    } catch (error) {
      throw fromSystemError(error, flags === 'wx' ? 'create it' : 'open it', path);
    }
  }

  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) {
        const count = fs.writeSync(this.#fd, bytes, at, Math.min(bytes.length - at, WRITE_BYTES), this.#position);
        this.#position += count;
        at += count;
      }
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  /** Makes the bytes durable. */
  sync(): void {
    try {
      fs.fsyncSync(this.#fd);
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#fd);
  }
}
