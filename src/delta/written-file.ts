import type { PositionedFile } from './positioned-file.js';

/**
 * The page cache takes as much memory in one piece as it is given at once. That of larger pieces has mostly been free for
 * longer, and a virtual machine has then to get it back from its host first, which takes as long as the writing.
 */
const WRITE_BYTES = 131072;

/** A file that is written in order, from some place on. */
export class WrittenFile {
  readonly #file: PositionedFile;
  #position: number;
  #open = true;

  /** The first byte goes to `position`. The file is closed with this. */
  constructor(file: PositionedFile, position = 0) {
    this.#file = file;
    this.#position = position;
  }

  get path(): string {
    return this.#file.path;
  }

  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
      const piece = bytes.subarray(at, at + WRITE_BYTES);
      this.#file.write(piece, this.#position);
      this.#position += piece.length;
    }
  }

  /** Makes the bytes durable. @throws UpdateRepositoryError NO_SPACE or IO */
  sync(): void {
    this.#file.sync();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#file.close();
  }
}
