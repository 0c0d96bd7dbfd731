/** How many bytes of a window its sum is of: the first ones. */
const SUMMED_BYTES = 8;
const SUM_BITS = 8;
/** The highest sum of a raw anchor. */
const HIGHEST_SUM = 132;
/** Where the word of a window is that decides when the sum has too few bits, and what it is multiplied by. */
const SECOND_WORD_AT = 8;
const SECOND_MULTIPLIER = 0x2c1b3c6d;
const RANK_MULTIPLIER = 0x297a2d39;

/**
 * Finds the raw anchors among the windows that start in [from, to): writes their starts, ascending, to `anchors` and
 * returns their number. Reads up to `to + WINDOW_BYTES - 1`; `anchors` needs room for `to - from`.
 *
 * The sum of bytes b0 .. b7 is that of b(k) << (7 - k) modulo 2^8: shifting pushes a byte out after 8 steps, so rolling it
 * on gives the same value as starting afresh, wherever the scan started. A window is a raw anchor when its sum is
 * HIGHEST_SUM, or, for each of the `sampleBits` that is missing to 8, one of twice as many right below it. For those that
 * go beyond 8 as many top bits of its third word's product have to be 0. The sum over 8 bytes is two of 4, shifted, and so
 * on, which is what vector instructions are fast at (native/sample.h).
 */
export function sampleAnchors(
  view: DataView,
  from: number,
  to: number,
  sampleBits: number,
  anchors: Int32Array,
): number {
  const bits = Math.min(sampleBits, SUM_BITS);
  // The bits that differ from HIGHEST_SUM's, counted down from it, in a sum that is none of the anchors'.
  const outside = (1 << SUM_BITS) - (1 << (SUM_BITS - bits));
  const first = from + SUMMED_BYTES - 1;
  const end = to + SUMMED_BYTES - 1;
  let sum = 0;
  let count = 0;
  let i = from;
  for (; i < first; i += 1) sum = ((sum << 1) + view.getUint8(i)) | 0;
  // A quarter of the engine's time is spent here: words instead of bytes, and eight steps at once, make it more than twice
  // as fast. What a word has above its byte does no harm: shifting moves it up only, and the lowest 8 bits are what counts.
  for (const unrolled = end - 7; i < unrolled; i += 8) {
    const low = view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    const sum0 = ((sum << 1) + low) | 0;
    const sum1 = ((sum0 << 1) + (low >>> 8)) | 0;
    const sum2 = ((sum1 << 1) + (low >>> 16)) | 0;
    const sum3 = ((sum2 << 1) + (low >>> 24)) | 0;
    const sum4 = ((sum3 << 1) + high) | 0;
    const sum5 = ((sum4 << 1) + (high >>> 8)) | 0;
    const sum6 = ((sum5 << 1) + (high >>> 16)) | 0;
    sum = ((sum6 << 1) + (high >>> 24)) | 0;
    if (((HIGHEST_SUM - sum0) & outside) === 0) anchors[count++] = i - 7;
    if (((HIGHEST_SUM - sum1) & outside) === 0) anchors[count++] = i - 6;
    if (((HIGHEST_SUM - sum2) & outside) === 0) anchors[count++] = i - 5;
    if (((HIGHEST_SUM - sum3) & outside) === 0) anchors[count++] = i - 4;
    if (((HIGHEST_SUM - sum4) & outside) === 0) anchors[count++] = i - 3;
    if (((HIGHEST_SUM - sum5) & outside) === 0) anchors[count++] = i - 2;
    if (((HIGHEST_SUM - sum6) & outside) === 0) anchors[count++] = i - 1;
    if (((HIGHEST_SUM - sum) & outside) === 0) anchors[count++] = i;
  }
  for (; i < end; i += 1) {
    sum = ((sum << 1) + view.getUint8(i)) | 0;
    if (((HIGHEST_SUM - sum) & outside) === 0) anchors[count++] = i - 7;
  }
  return sampleBits > bits ? keepRight(view, anchors, count, sampleBits - bits) : count;
}

/** Leaves those of the first `count` anchors whose third word's product has `bits` top bits of 0; returns their number. */
function keepRight(view: DataView, anchors: Int32Array, count: number, bits: number): number {
  let kept = 0;
  for (let n = 0; n < count; n += 1) {
    const at = anchors[n]!;
    const product = Math.imul(view.getInt32(at + SECOND_WORD_AT, true), SECOND_MULTIPLIER);
    if (product >>> (32 - bits) === 0) anchors[kept++] = at;
  }
  return kept;
}

/** The window with the highest rank, the last of equal ones, among those that start in [from, to), at least one. */
export function highestWindow(view: DataView, from: number, to: number): number {
  let highest = from;
  let highestRank = 0;
  for (let at = from; at < to; at += 1) {
    const product = Math.imul(view.getInt32(at, true), SECOND_MULTIPLIER);
    const rank = Math.imul(product ^ view.getInt32(at + 4, true), RANK_MULTIPLIER) >>> 0;
    if (rank < highestRank) continue;
    highest = at;
    highestRank = rank;
  }
  return highest;
}
