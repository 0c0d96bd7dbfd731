import { Readable } from 'node:stream';
import { type Extract, extract } from 'tar-stream';
import { UpdateRepositoryError } from '../../errors.js';

/** Bytes of headers, padding and end of an archive, and of what is read ahead, beside those of its members. */
const MAX_OVERHEAD_BYTES = 4 * 2 ** 20;
const PIECE_BYTES = 64 * 1024;

/** A member of an archive: what its header says, and its bytes. */
export interface TarMember {
  readonly name: string;
  readonly isFile: boolean;
  readonly sizeBytes: number;
  /** The next bytes, null at the end. @throws UpdateRepositoryError FORMAT */
  next(): Promise<Uint8Array | null>;
}

/**
 * Reads a tar archive member by member, from a source that is read no further than is allowed. Holds less than 5 MiB,
 * whatever the archive says.
 */
export class TarReader {
  readonly #name: string;
  readonly #members: ReturnType<Extract[typeof Symbol.asyncIterator]>;
  #allowedBytes = MAX_OVERHEAD_BYTES;
  #sourceError: unknown;

  /** `name` opens the messages. */
  constructor(source: AsyncIterable<Uint8Array>, name: string) {
    this.#name = name;
    const archive = extract();
    this.#members = archive[Symbol.asyncIterator]();
    const bytes = Readable.from(this.#bounded(source));
    // What the source fails with ends the archive, which tells whoever waits for a member or its bytes.
    bytes.on('error', (error) => archive.destroy(error)).pipe(archive);
    archive.on('close', () => bytes.destroy());
  }

  /** Allows `bytes` of members more. */
  allow(bytes: number): void {
    this.#allowedBytes += bytes;
  }

  /** The next member, whose predecessor was read to its end; null at the end of the archive. */
  async next(): Promise<TarMember | null> {
    const found = await this.#telling(() => this.#members.next());
    if (found.done === true) return null;
    const { header } = found.value;
    const pieces = (found.value as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    return {
      name: header.name,
      isFile: header.type === 'file',
      sizeBytes: header.size,
      next: async () => {
        const piece = await this.#telling(() => pieces.next());
        return piece.done === true ? null : piece.value;
      },
    };
  }

  /** Ends the reading, and the source with it. */
  async close(): Promise<void> {
    await this.#members.return?.();
  }

  async *#bounded(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    try {
      for await (const bytes of source) {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = bytes.subarray(at, at + PIECE_BYTES);
          this.#allowedBytes -= piece.length;
          if (this.#allowedBytes < 0) throw this.#wrong('no more than its members', 'more');
          yield piece;
        }
      }
    } catch (error) {
      this.#sourceError = error;
      throw error;
    }
  }

  /** What tar-stream complains of is the archive's form; what the source fails with is the caller's. */
  async #telling<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (this.#sourceError !== undefined) throw this.#sourceError;
      throw this.#wrong('a tar archive', error instanceof Error ? error.message : String(error), error);
    }
  }

  #wrong(expected: string, found: string, cause?: unknown): UpdateRepositoryError {
    return new UpdateRepositoryError('FORMAT', `${this.#name}: expected ${expected}, found ${found}`, {
      data: { file: this.#name },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
