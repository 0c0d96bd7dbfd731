import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { UpdateRepositoryError } from '../../errors.js';
import { readBuffer } from '../../io/page-aligned.js';

const READ_BYTES = 1 << 20;

/**
 * The sha256 of a file that grows: what it has at the start is read meanwhile, and what is added is taken as it comes once
 * that is done. Memory: 1 MiB.
 */
export class GrowingDigest implements AsyncDisposable {
  readonly #hash = createHash('sha256');
  readonly #file: FileHandle;
  readonly #name: string;
  /** Resolves to what it failed with, which is told by whoever asks for the digest; null where it is done. */
  readonly #catchingUp: Promise<unknown>;
  #sizeBytes: number;
  #hashedBytes = 0;
  #isBehind: boolean;
  #isStopped = false;

  /** @param sizeBytes what the file has now */
  constructor(file: FileHandle, name: string, sizeBytes: number) {
    this.#file = file;
    this.#name = name;
    this.#sizeBytes = sizeBytes;
    this.#isBehind = sizeBytes > 0;
    const catchingUp = this.#isBehind ? this.#catchUp() : Promise.resolve();
    this.#catchingUp = catchingUp.then(
      () => null,
      (error: unknown) => error,
    );
  }

  /** `piece` was written at the end of the file. */
  grewBy(piece: Uint8Array): void {
    this.#sizeBytes += piece.length;
    if (this.#isBehind) return;
    this.#hash.update(piece);
    this.#hashedBytes += piece.length;
  }

  /**
   * The sha256 of all of the file, which does not grow any more.
   *
   * @throws UpdateRepositoryError INTERRUPTED; IO where the file is shorter than it was; what reading throws
   */
  async hex(signal: AbortSignal): Promise<string> {
    const stop = () => {
      this.#isStopped = true;
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const failure = await this.#catchingUp;
      if (failure !== null) throw failure;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    if (this.#isStopped) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    return this.#hash.digest('hex');
  }

  /** Reads no more: the file may be closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#catchingUp;
  }

  async #catchUp(): Promise<void> {
    const room = readBuffer(READ_BYTES);
    while (this.#hashedBytes < this.#sizeBytes && !this.#isStopped) {
      const length = Math.min(room.length, this.#sizeBytes - this.#hashedBytes);
      const { bytesRead } = await this.#file.read(room, 0, length, this.#hashedBytes);
      if (bytesRead === 0) {
        const message = `${this.#name}: expected ${this.#sizeBytes} bytes, found ${this.#hashedBytes}`;
        throw new UpdateRepositoryError('IO', message, { data: { path: this.#name } });
      }
      this.#hash.update(room.subarray(0, bytesRead));
      this.#hashedBytes += bytesRead;
    }
    this.#isBehind = false;
  }
}
