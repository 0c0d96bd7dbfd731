import { readBuffer } from '../io/page-aligned.js';
import type { SourceFile } from './source-file.js';

const PAGE_BYTES = 32768;
const PAGES = 128;

/** Reads of a few bytes at random places of a file, through a direct-mapped cache of at most 4 MiB. */
export class FilePages {
  readonly #file: SourceFile;
  readonly #cache: Uint8Array;
  readonly #pages: Float64Array;

  constructor(file: SourceFile) {
    const count = Math.min(PAGES, Math.ceil(file.sizeBytes / PAGE_BYTES));
    this.#file = file;
    this.#cache = readBuffer(count * PAGE_BYTES);
    this.#pages = new Float64Array(count).fill(-1);
  }

  /**
   * Hands the `length` bytes at `position`, which the file has, to `take` in order: each time `bytes` from `from` to
   * before `to`, which are valid until it returns.
   */
  read(position: number, length: number, take: (bytes: Uint8Array, from: number, to: number) => void): void {
    for (let done = 0; done < length; ) {
      const page = Math.floor((position + done) / PAGE_BYTES);
      const inPage = position + done - page * PAGE_BYTES;
      const chunk = Math.min(length - done, PAGE_BYTES - inPage);
      const from = this.#locate(page) + inPage;
      take(this.#cache, from, from + chunk);
      done += chunk;
    }
  }

  /** Where in the cache a page is, now. */
  #locate(page: number): number {
    const slot = page % this.#pages.length;
    const at = slot * PAGE_BYTES;
    if (this.#pages[slot] !== page) {
      this.#pages[slot] = -1;
      const start = page * PAGE_BYTES;
      this.#file.read(this.#cache, at, Math.min(PAGE_BYTES, this.#file.sizeBytes - start), start);
      this.#pages[slot] = page;
    }
    return at;
  }
}
