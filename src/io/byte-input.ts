import fs from 'node:fs';
import { fromSystemError, isSystemError } from '../errors.js';
import { waitAMoment } from './wait.js';

/** Bytes that are read from start to end: a file's, a pipe's or standard input's. */
export class ByteInput implements Disposable {
  /** How messages name it. */
  readonly name: string;
  /** Size of a file, as it was when it was opened; undefined for everything else. */
  readonly sizeBytes: number | undefined;
  readonly #fd: number;
  readonly #maxReadBytes: number;

  /**
   * Opens the file `path`, or standard input where it is undefined. At most `maxReadBytes` are asked for at once.
   *
   * @throws UpdateRepositoryError NOT_FOUND or IO
   */
  constructor(path: string | undefined, maxReadBytes = Number.POSITIVE_INFINITY) {
    this.name = path ?? 'standard input';
    this.#maxReadBytes = maxReadBytes;
    try {
      this.#fd = path === undefined ? 0 : fs.openSync(path, 'r');
      const stat = fs.fstatSync(this.#fd);
      this.sizeBytes = stat.isFile() ? stat.size : undefined;
    } catch (error) {
      throw fromSystemError(error, 'open it', this.name);
    }
  }

  /**
   * Fills `into` with what comes next and returns how many bytes that were: fewer than asked for only at the end.
   *
   * @throws UpdateRepositoryError IO
   */
  fill(into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const count = this.#readSome(into, done, Math.min(into.length - done, this.#maxReadBytes));
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== 0) fs.closeSync(this.#fd);
  }

  #readSome(into: Uint8Array, at: number, length: number): number {
    for (;;) {
      try {
        return fs.readSync(this.#fd, into, at, length, null);
      } catch (error) {
        // A pipe that somebody else made non-blocking has nothing just now.
        if (!isSystemError(error, 'EAGAIN')) throw fromSystemError(error, 'read it', this.name);
        waitAMoment();
      }
    }
  }
}
