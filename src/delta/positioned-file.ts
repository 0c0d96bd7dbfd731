import fs from 'node:fs';
import { fromSystemError } from '../errors.js';

/** A file that is written at any positions, also by several threads, each at positions of its own. */
export class PositionedFile {
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, flags: 'wx' | 'r+', purpose: string) {
    this.path = path;
    try {
      this.#fd = fs.openSync(path, flags, 0o644);
    } catch (error) {
      throw fromSystemError(error, purpose, path);
    }
  }

  /** @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, or IO: also when the file is there */
  static create(path: string): PositionedFile {
    return new PositionedFile(path, 'wx', 'create it');
  }

  /** @throws UpdateRepositoryError NOT_FOUND or IO */
  static open(path: string): PositionedFile {
    return new PositionedFile(path, 'r+', 'open it');
  }

  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array, position: number): void {
    try {
      for (let at = 0; at < bytes.length; ) {
        at += fs.writeSync(this.#fd, bytes, at, bytes.length - at, position + at);
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
    fs.closeSync(this.#fd);
  }
}
