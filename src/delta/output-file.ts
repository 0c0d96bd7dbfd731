import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { fromSystemError, isSystemError } from '../errors.js';
import { placeFile } from '../io/atomic-file.js';

/**
 * Lets `write` make a file beside `path`, under a temporary name that ends in `.tmp`, and puts it in place of what is
 * there once it is complete and on the disk. Leaves nothing behind when that fails. Resolves to what `write` does.
 *
 * @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, IO, and what `write` throws
 */
export async function writeNewFile<T>(
  path: string,
  write: (output: OutputFile) => Promise<T>,
  options: OutputOptions = {},
): Promise<T> {
  const output = new OutputFile(`${path}.${randomBytes(4).toString('hex')}.tmp`, options);
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

export interface OutputOptions {
  /**
   * Past the page cache as far as the file system lets it: what is large and has to be on the disk in the end then costs
   * the processor a third, and nothing else is pushed out of memory. Worth it for pieces of {@link pageAligned} memory, of
   * a multiple of 4096 bytes each; the first other one, and all after it, go by the cache.
   */
  readonly direct?: boolean;
}

/** What O_DIRECT asks of addresses, lengths and positions, on all usual disks. */
const DIRECT_BYTES = 4096;

const writeAt = promisify(fs.write);

function isAligned(bytes: Uint8Array): boolean {
  return (bytes.byteOffset | bytes.length) % DIRECT_BYTES === 0;
}

/** A new file that is written from start to end and either completed or removed. */
export class OutputFile {
  readonly path: string;
  #fd: number;
  #direct = false;
  #sizeBytes = 0;
  #open = true;

  /** @throws UpdateRepositoryError NOT_FOUND (no such directory), NO_SPACE, or IO: also when the file is there */
  constructor(path: string, { direct = false }: OutputOptions = {}) {
    this.path = path;
    try {
      this.#fd = fs.openSync(path, 'wx', 0o644);
    } catch (error) {
      throw fromSystemError(error, 'create it', path);
    }
    if (direct) this.#reopenDirectly();
  }

  /** @throws UpdateRepositoryError NO_SPACE or IO */
  write(bytes: Uint8Array): void {
    try {
      if (this.#direct && !isAligned(bytes)) this.#reopen(0);
      for (let at = 0; at < bytes.length; ) at += this.#writeSome(bytes, at);
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  /**
   * The same without waiting for the disk, where it goes past the page cache: the bytes are to stay until it is done, and
   * nothing else may be asked of the file.
   *
   * @throws UpdateRepositoryError NO_SPACE or IO
   */
  async writeSoon(bytes: Uint8Array): Promise<void> {
    this.write(bytes.subarray(await this.#writeAside(bytes)));
  }

  /** How much of it the file system took directly, while this thread did something else. */
  async #writeAside(bytes: Uint8Array): Promise<number> {
    if (!this.#direct || !isAligned(bytes)) return 0;
    try {
      const { bytesWritten } = await writeAt(this.#fd, bytes, 0, bytes.length, this.#sizeBytes);
      this.#sizeBytes += bytesWritten;
      return bytesWritten;
    } catch (error) {
      if (isSystemError(error, 'EINVAL')) return 0;
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  #writeSome(bytes: Uint8Array, at: number): number {
    try {
      const count = fs.writeSync(this.#fd, bytes, at, bytes.length - at, this.#sizeBytes);
      this.#sizeBytes += count;
      return count;
    } catch (error) {
      // There are file systems that take the flag and not the bytes; and what was written in part ends anywhere.
      if (!this.#direct || !isSystemError(error, 'EINVAL')) throw error;
      this.#reopen(0);
      return 0;
    }
  }

  /** Goes on with another `flag`: O_DIRECT, or 0. */
  #reopen(flag: number): void {
    const fd = fs.openSync(this.path, fs.constants.O_WRONLY | flag);
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#direct = flag !== 0;
  }

  #reopenDirectly(): void {
    try {
      this.#reopen(fs.constants.O_DIRECT);
    } catch (error) {
      // Whatever the reason, the cache does as well.
      if (!isSystemError(error)) throw error;
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
