/** How many bytes of a window its hash is of: the first ones. */
const HASHED_BYTES = 16;
const MULTIPLIER = 0x9e37;
const ADDEND = 0x3c6d;

/**
 * Finds the raw anchors among the windows that start in [from, to): writes their starts, ascending, to `anchors` and
 * returns their number. Reads up to `to + HASHED_BYTES - 1`; `anchors` needs room for `to - from`.
 *
 * The sum of bytes b0 .. b15 is that of b(k) << (15 - k) modulo 2^16: shifting pushes a byte out after 16 steps, so
 * rolling it on gives the same value as starting afresh, wherever the scan started. A window is a raw anchor when the top
 * `sampleBits` bits of `sum * MULTIPLIER + ADDEND`, modulo 2^16, are 0. The sum over 16 bytes is two of 8, shifted, and so
 * on, which is what vector instructions are fast at (native/sample.h).
 */
export function sampleAnchors(
  view: DataView,
  from: number,
  to: number,
  sampleBits: number,
  anchors: Int32Array,
): number {
  const top = 0x10000 - (1 << (16 - sampleBits));
  const first = from + HASHED_BYTES - 1;
  const end = to + HASHED_BYTES - 1;
  let sum = 0;
  let count = 0;
  let i = from;
  for (; i < first; i += 1) sum = ((sum << 1) + view.getUint8(i)) | 0;
  // Half of the engine's time is spent here: words instead of bytes, and eight steps at once, make it twice as fast.
  for (const unrolled = end - 7; i < unrolled; i += 8) {
    let word = view.getInt32(i, true);
    sum = ((sum << 1) + (word & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 15;
    sum = ((sum << 1) + ((word >>> 8) & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 14;
    sum = ((sum << 1) + ((word >>> 16) & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 13;
    sum = ((sum << 1) + (word >>> 24)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 12;
    word = view.getInt32(i + 4, true);
    sum = ((sum << 1) + (word & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 11;
    sum = ((sum << 1) + ((word >>> 8) & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 10;
    sum = ((sum << 1) + ((word >>> 16) & 255)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 9;
    sum = ((sum << 1) + (word >>> 24)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 8;
  }
  for (; i < end; i += 1) {
    sum = ((sum << 1) + view.getUint8(i)) | 0;
    if (((Math.imul(sum, MULTIPLIER) + ADDEND) & top) === 0) anchors[count++] = i - 15;
  }
  return count;
}

/** The window with the lowest hash, the last of equal ones, among those that start in [from, to), at least one. */
export function lowestWindow(view: DataView, from: number, to: number): number {
  const ahead = HASHED_BYTES - 1;
  let sum = 0;
  let lowest = from;
  let lowestHash = 0x10000;
  for (let at = from - ahead; at < from; at += 1) sum = ((sum << 1) + view.getUint8(at + ahead)) | 0;
  for (let at = from; at < to; at += 1) {
    sum = ((sum << 1) + view.getUint8(at + ahead)) | 0;
    const hash = (Math.imul(sum, MULTIPLIER) + ADDEND) & 0xffff;
    if (hash > lowestHash) continue;
    lowest = at;
    lowestHash = hash;
  }
  return lowest;
}
