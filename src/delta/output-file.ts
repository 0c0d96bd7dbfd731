import fs from 'node:fs';
import { fromSystemError } from '../errors.js';

/** A new file that is written from start to end and either completed or removed. */
export class OutputFile {
  readonly path: string;
  readonly #fd: number;
  #open = true;

  /** @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, or IO: also when the file is there */
  constructor(path: string) {
    this.path = path;
    try {
      this.#fd = fs.openSync(path, 'wx', 0o644);
    } catch (error) {
      throw fromSystemError(error, 'create it', path);
    }
  }

  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(this.#fd, bytes, at, bytes.length - at);
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  /** Makes the bytes durable and closes the file. */
  complete(): void {
    try {
      fs.fsyncSync(this.#fd);
      this.#close();
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  /** Closes and removes the file. */
  discard(): void {
    this.#close();
    fs.rmSync(this.path, { force: true });
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    fs.closeSync(this.#fd);
  }
}
