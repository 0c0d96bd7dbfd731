import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { fromSystemError } from '../errors.js';
import { placeFile } from '../io/atomic-file.js';

/**
 * Lets `write` make a file beside `path`, under a temporary name that ends in `.tmp`, and puts it in place of what is
 * there once it is complete and on the disk. Leaves nothing behind when that fails. Resolves to what `write` does.
 *
 * @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, IO, and what `write` throws
 */
export async function writeNewFile<T>(path: string, write: (output: OutputFile) => Promise<T>): Promise<T> {
  const output = new OutputFile(`${path}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const result = await write(output);
    output.complete();
    await placeFile(output.path, path);
    return result;
  } catch (error) {
    output.discard();
    throw error;
  }
}

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
