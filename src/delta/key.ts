import { WINDOW_BYTES } from './parameters.js';

/** The keys of one batch of anchors, in their order. Made once and used again; `capacity` anchors fit. */
export class KeyBatch {
  /** Starts of the windows. */
  readonly starts: Int32Array;
  /** The bucket that each key selects. */
  readonly buckets: Int32Array;
  /** The key's 28 bits that an entry remembers. */
  readonly tags: Int32Array;
  count = 0;

  constructor(capacity: number) {
    this.starts = new Int32Array(capacity);
    this.buckets = new Int32Array(capacity);
    this.tags = new Int32Array(capacity);
  }

  push(start: number, bucket: number, tag: number): void {
    this.starts[this.count] = start;
    this.buckets[this.count] = bucket;
    this.tags[this.count] = tag;
    this.count += 1;
  }
}

const SEED_A = 0x9e3779b9 | 0;
const SEED_B = 0x7f4a7c15;
const MULTIPLIER_A = 0x2c1b3c6d;
const MULTIPLIER_B = 0x297a2d39;

/**
 * Fills `batch` with the keys of the windows that start at `anchors[0 .. count)`, leaving out those whose content
 * repeats after 8 bytes or a divisor of 8: such windows occur everywhere in a run, and runs are handled apart.
 */
export function keyAnchors(
  view: DataView,
  anchors: Int32Array,
  count: number,
  tableBuckets: number,
  batch: KeyBatch,
): void {
  batch.count = 0;
  for (let n = 0; n < count; n += 1) {
    const at = anchors[n]!;
    if (!repeatsAfter8(view, at)) keyWindow(view, at, tableBuckets, batch);
  }
}

/**
 * Adds the key of the window at `at`: two 32-bit chains over the window's eight little-endian words, all arithmetic
 * modulo 2^32.
 */
export function keyWindow(view: DataView, at: number, tableBuckets: number, batch: KeyBatch): void {
  let a = SEED_A;
  let b = SEED_B;
  for (let i = at; i < at + WINDOW_BYTES; i += 4) {
    const word = view.getInt32(i, true);
    a = mix(a ^ word, MULTIPLIER_A);
    b = mix(b + word, MULTIPLIER_B);
  }
  const bucket = multiplyHigh(mix(a ^ (b >>> 16), MULTIPLIER_B) >>> 0, tableBuckets);
  batch.push(at, bucket, mix(b ^ (a >>> 16), MULTIPLIER_A) >>> 4);
}

function repeatsAfter8(view: DataView, at: number): boolean {
  for (let i = at; i < at + WINDOW_BYTES - 8; i += 4) {
    if (view.getInt32(i, true) !== view.getInt32(i + 8, true)) return false;
  }
  return true;
}

function mix(value: number, multiplier: number): number {
  const product = Math.imul(value, multiplier);
  return product ^ (product >>> 15);
}

/** floor(a * b / 2^32) for a < 2^32 and b < 2^31, with no intermediate result past 2^53. */
function multiplyHigh(a: number, b: number): number {
  return Math.floor(((a >>> 16) * b + Math.floor(((a & 0xffff) * b) / 65536)) / 65536);
}
