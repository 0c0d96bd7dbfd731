import { WINDOW_BYTES } from './parameters.js';

/**
 * Finds the anchors among the windows that start in [from, to): writes their starts, ascending, to `anchors` and
 * returns their number. Reads up to `to + WINDOW_BYTES - 1`; `anchors` needs room for `to - from`.
 *
 * A window is an anchor when the top `sampleBits` bits of its gear hash are 0. The gear hash of bytes b0 .. b31 is the
 * sum of GEAR[b(k)] << (31 - k) modulo 2^32: shifting pushes a byte out after 32 steps, so rolling it on gives the
 * same value as starting afresh, wherever the scan started. (W. Xia et al., "Ddelta: a deduplication-inspired fast
 * delta compression approach", 2014, names the hash.)
 */
export function sampleAnchors(
  view: DataView,
  from: number,
  to: number,
  sampleBits: number,
  anchors: Int32Array,
): number {
  const gear = GEAR;
  const top = -1 << (32 - sampleBits);
  const first = from + WINDOW_BYTES - 1;
  const end = to + WINDOW_BYTES - 1;
  let hash = 0;
  let count = 0;
  let i = from;
  for (; i < first; i += 1) hash = ((hash << 1) + gear[view.getUint8(i)]!) | 0;
  // Half of the engine's time is spent here: words instead of bytes, and eight steps at once, make it twice as fast.
  for (const unrolled = end - 7; i < unrolled; i += 8) {
    let word = view.getInt32(i, true);
    hash = ((hash << 1) + gear[word & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 31;
    hash = ((hash << 1) + gear[(word >>> 8) & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 30;
    hash = ((hash << 1) + gear[(word >>> 16) & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 29;
    hash = ((hash << 1) + gear[word >>> 24]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 28;
    word = view.getInt32(i + 4, true);
    hash = ((hash << 1) + gear[word & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 27;
    hash = ((hash << 1) + gear[(word >>> 8) & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 26;
    hash = ((hash << 1) + gear[(word >>> 16) & 255]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 25;
    hash = ((hash << 1) + gear[word >>> 24]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 24;
  }
  for (; i < end; i += 1) {
    hash = ((hash << 1) + gear[view.getUint8(i)]!) | 0;
    if ((hash & top) === 0) anchors[count++] = i - 31;
  }
  return count;
}

/** One pseudo-random 32-bit number for each byte value. */
export const GEAR: Int32Array = makeGear();

/** The integer finaliser of MurmurHash3 (public domain) over the multiples of 2^32 / golden ratio. */
function makeGear(): Int32Array {
  const gear = new Int32Array(256);
  for (let value = 0; value < 256; value += 1) {
    let mixed = Math.imul(value + 1, 0x9e3779b9);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    gear[value] = mixed ^ (mixed >>> 16);
  }
  return gear;
}
