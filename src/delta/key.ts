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
}

const SEED_A = 0x9e3779b9 | 0;
const SEED_B = 0x7f4a7c15;
const MULTIPLIER_A = 0x2c1b3c6d;
const MULTIPLIER_B = 0x297a2d39;

/**
 * Fills `batch` with the keys of the windows that start at `anchors[0 .. count)`, leaving out those whose content
 * repeats after 8 bytes or a divisor of 8: such windows occur everywhere in a run, and runs are handled apart.
 *
 * The key is two 32-bit chains over the window's eight little-endian words, all arithmetic modulo 2^32.
 */
export function keyAnchors(
  view: DataView,
  anchors: Int32Array,
  count: number,
  tableBuckets: number,
  batch: KeyBatch,
): void {
  let kept = 0;
  for (let n = 0; n < count; n += 1) {
    const at = anchors[n]!;
    let a = SEED_A;
    let b = SEED_B;
    let evenChange = 0;
    let oddChange = 0;
    const even = view.getInt32(at, true);
    const odd = view.getInt32(at + 4, true);
    for (let word = at; word < at + WINDOW_BYTES; word += 8) {
      const first = view.getInt32(word, true);
      const second = view.getInt32(word + 4, true);
      evenChange |= first ^ even;
      oddChange |= second ^ odd;
      a = mix(a ^ first, MULTIPLIER_A);
      b = mix(b + first, MULTIPLIER_B);
      a = mix(a ^ second, MULTIPLIER_A);
      b = mix(b + second, MULTIPLIER_B);
    }
    if ((evenChange | oddChange) === 0) continue;
    batch.starts[kept] = at;
    batch.buckets[kept] = multiplyHigh(mix(a ^ (b >>> 16), MULTIPLIER_B) >>> 0, tableBuckets);
    batch.tags[kept] = mix(b ^ (a >>> 16), MULTIPLIER_A) >>> 4;
    kept += 1;
  }
  batch.count = kept;
}

function mix(value: number, multiplier: number): number {
  const product = Math.imul(value, multiplier);
  return product ^ (product >>> 15);
}

/** floor(a * b / 2^32) for a < 2^32 and b < 2^31, with no intermediate result past 2^53. */
function multiplyHigh(a: number, b: number): number {
  return Math.floor(((a >>> 16) * b + Math.floor(((a & 0xffff) * b) / 65536)) / 65536);
}
