import type { KeyBatch } from './key.js';
import { BUCKET_BYTES, BUCKET_SLOTS } from './parameters.js';

/** No anchor of the base has this key. */
export const NO_POSITION = -1;

const BUCKET_WORDS = BUCKET_BYTES / 4;
const HIGH = 2 ** 32;

/**
 * Where in the base the window with a given key is. A bucket is one cache line of eight entries, an entry two words:
 *
 *     word 0          bits 0..31 of position + 1
 *     word 1          bits 0..3: bits 32..35 of position + 1; bits 4..31: the key's tag
 *
 * both 0 for an empty slot, which only empty ones follow. A bucket holds, for each tag, the lowest position inserted
 * with it, and of more than eight tags those with the lowest positions: so its content does not depend on the order of
 * insertion.
 */
export class AnchorTable {
  readonly buckets: number;
  readonly #words: Uint32Array;
  /** Sum of the words that {@link touch} read; it keeps the reads from being optimised away. */
  touched = 0;

  /** The table of `64 * buckets` bytes, at first all 0, at an address of a buffer. */
  constructor(buffer: ArrayBufferLike, address: number, buckets: number) {
    this.buckets = buckets;
    this.#words = new Uint32Array(buffer, address, buckets * BUCKET_WORDS);
  }

  /** Brings the buckets of a batch into the cache: these reads overlap, those of a search do not. */
  touch(batch: KeyBatch): void {
    const words = this.#words;
    const { buckets, count } = batch;
    let sum = 0;
    for (let n = 0; n < count; n += 1) sum = (sum + words[buckets[n]! * BUCKET_WORDS]!) | 0;
    this.touched = sum;
  }

  /** Inserts a batch of anchors whose starts count from `origin`, a position in the base. */
  insert(batch: KeyBatch, origin: number): void {
    const { starts, buckets, tags, count } = batch;
    for (let n = 0; n < count; n += 1) this.#insertOne(buckets[n]!, tags[n]!, origin + starts[n]!);
  }

  /** The lowest position inserted with this bucket and tag, or {@link NO_POSITION}. */
  find(bucket: number, tag: number): number {
    const words = this.#words;
    const first = bucket * BUCKET_WORDS;
    for (let slot = first; slot < first + BUCKET_WORDS; slot += 2) {
      const high = words[slot + 1]!;
      // An empty slot, where a tag of 0 ends, gives NO_POSITION.
      if (high >>> 4 === tag) return (high & 15) * HIGH + words[slot]! - 1;
    }
    return NO_POSITION;
  }

  #insertOne(bucket: number, tag: number, position: number): void {
    const words = this.#words;
    const first = bucket * BUCKET_WORDS;
    let highest = -1;
    let victim = -1;
    for (let slot = first; slot < first + 2 * BUCKET_SLOTS; slot += 2) {
      const low = words[slot]!;
      const high = words[slot + 1]!;
      const stored = (high & 15) * HIGH + low - 1;
      if (stored < 0) {
        victim = slot;
        highest = Number.POSITIVE_INFINITY;
        break;
      }
      if (high >>> 4 === tag) {
        victim = slot;
        highest = stored;
        break;
      }
      if (stored > highest) {
        victim = slot;
        highest = stored;
      }
    }
    if (position >= highest) return;
    const entry = position + 1;
    words[victim] = entry % HIGH;
    words[victim + 1] = (tag << 4) | Math.floor(entry / HIGH);
  }
}
