import { allocateBlock, type ByteBlock, equalBackward, equalForward } from './byte-block.js';
import type { SourceFile } from './source-file.js';

/** Each page carries this much of the next one, so that short comparisons never cross pages. */
export const PAGE_OVERLAP_BYTES = 512;

/**
 * Random access to the base through a direct-mapped cache of pages: at most `maxPages * (pageBytes + 512)` bytes of
 * memory, whatever the size of the base.
 */
export class BasePages {
  readonly sizeBytes: number;
  /** Where {@link locate} finds things. */
  readonly cache: ByteBlock;
  readonly #base: SourceFile;
  readonly #pageBytes: number;
  readonly #pages: Float64Array;
  /** Bytes compared so far, for tests that bound the work. */
  comparedBytes = 0;

  constructor(base: SourceFile, pageBytes: number, maxPages: number) {
    const pageCount = Math.min(maxPages, Math.floor(base.sizeBytes / pageBytes) + 1);
    this.sizeBytes = base.sizeBytes;
    this.#base = base;
    this.#pageBytes = pageBytes;
    this.#pages = new Float64Array(pageCount).fill(-1);
    this.cache = allocateBlock(pageCount * (pageBytes + PAGE_OVERLAP_BYTES));
  }

  /**
   * Makes the base's bytes at `position` available: returns their index in {@link cache}. At least
   * {@link PAGE_OVERLAP_BYTES} bytes follow, as far as the base has them; valid until the next call.
   */
  locate(position: number): number {
    const page = Math.floor(position / this.#pageBytes);
    const slot = page % this.#pages.length;
    const at = slot * (this.#pageBytes + PAGE_OVERLAP_BYTES);
    if (this.#pages[slot] !== page) this.#load(page, slot, at);
    return at + position - page * this.#pageBytes;
  }

  /** Length of the common prefix of the target from `at` on and the base from `position` on, at most `limit`. */
  equalAfter(target: ByteBlock, at: number, position: number, limit: number): number {
    const length = Math.min(limit, this.sizeBytes - position);
    let done = 0;
    while (done < length) {
      const where = position + done;
      const chunk = Math.min(length - done, this.#pageBytes - (where % this.#pageBytes));
      const equal = equalForward(target, at + done, this.cache, this.locate(where), chunk);
      done += equal;
      if (equal < chunk) break;
    }
    this.comparedBytes += done + 1;
    return done;
  }

  /** Length of the common suffix of the target before `at` and the base before `position`, at most `limit`. */
  equalBefore(target: ByteBlock, at: number, position: number, limit: number): number {
    const length = Math.min(limit, position);
    let done = 0;
    while (done < length) {
      const last = position - done - 1;
      const chunk = Math.min(length - done, (last % this.#pageBytes) + 1);
      const equal = equalBackward(target, at - done, this.cache, this.locate(last) + 1, chunk);
      done += equal;
      if (equal < chunk) break;
    }
    this.comparedBytes += done + 1;
    return done;
  }

  #load(page: number, slot: number, at: number): void {
    const start = page * this.#pageBytes;
    this.#pages[slot] = -1;
    const length = Math.min(this.#pageBytes + PAGE_OVERLAP_BYTES, this.sizeBytes - start);
    this.#base.read(this.cache.bytes, at, length, start);
    this.#pages[slot] = page;
  }
}
