import fs from 'node:fs';
import { promisify } from 'node:util';
import { fromSystemError, isSystemError } from '../errors.js';

/** How a file is written. */
export interface WriteOptions {
  /**
   * Past the page cache as far as the file system lets it: what is large and has to be on the disk in the end then costs
   * the processor a third, and nothing else is pushed out of memory. Worth it for pieces of {@link pageAligned} memory, of
   * a multiple of 4096 bytes each, at such places of the file; other ones go by the cache.
   */
  readonly direct?: boolean;
  /** Where the first byte goes; left out, at the start of the file. */
  readonly position?: number;
}

/** What O_DIRECT asks of addresses, lengths and positions, on all usual disks. */
const DIRECT_BYTES = 4096;

/**
 * The page cache takes as much memory in one piece as it is given at once. That of larger pieces has mostly been free for
 * longer, and a virtual machine has then to get it back from its host first, which takes as long as the writing.
 */
const CACHED_WRITE_BYTES = 131072;

const writeAt = promisify(fs.write);

/** A file that is written in order, from some place on. */
export class WrittenFile {
  readonly path: string;
  #fd: number;
  /** Whether the file system is to be asked to go past the cache, and whether it does that now. */
  #wantsDirect: boolean;
  #isDirect = false;
  #position: number;
  #open = true;

  /**
   * Opens the file, or with `wx` makes it.
   *
   * @throws UpdateRepositoryError NOT_FOUND, NO_SPACE, or IO: with `wx` also when the file is there
   */
  constructor(path: string, flags: 'wx' | 'r+', { direct = false, position = 0 }: WriteOptions = {}) {
    this.path = path;
    this.#wantsDirect = direct;
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
      this.#chooseWay(bytes);
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

  /** How much of it the file system took directly, while this thread did something else. */
  async #writeAside(bytes: Uint8Array): Promise<number> {
    try {
      this.#chooseWay(bytes);
      if (!this.#isDirect) return 0;
      const { bytesWritten } = await writeAt(this.#fd, bytes, 0, bytes.length, this.#position);
      this.#position += bytesWritten;
      return bytesWritten;
    } catch (error) {
      if (isSystemError(error, 'EINVAL')) return 0;
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  #writeSome(bytes: Uint8Array, at: number): number {
    const left = bytes.length - at;
    const length = this.#isDirect ? left : Math.min(left, CACHED_WRITE_BYTES);
    try {
      const count = fs.writeSync(this.#fd, bytes, at, length, this.#position);
      this.#position += count;
      return count;
    } catch (error) {
      // There are file systems that take the flag and not the bytes; and what was written in part ends anywhere.
      if (!this.#isDirect || !isSystemError(error, 'EINVAL')) throw error;
      this.#wantsDirect = false;
      this.#reopen(0);
      return 0;
    }
  }

  /** Has the file open as `bytes` can be written to it. */
  #chooseWay(bytes: Uint8Array): void {
    const direct =
      this.#wantsDirect && (bytes.byteOffset | bytes.length | (this.#position % DIRECT_BYTES)) % DIRECT_BYTES === 0;
    if (direct === this.#isDirect) return;
    if (direct) this.#reopenDirectly();
    else this.#reopen(0);
  }

  /** Goes on with another `flag`: O_DIRECT, or 0. */
  #reopen(flag: number): void {
    const fd = fs.openSync(this.path, fs.constants.O_WRONLY | flag);
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#isDirect = flag !== 0;
  }

  #reopenDirectly(): void {
    try {
      this.#reopen(fs.constants.O_DIRECT);
    } catch (error) {
      // Whatever the reason, the cache does as well.
      if (!isSystemError(error)) throw error;
      this.#wantsDirect = false;
    }
  }
}
