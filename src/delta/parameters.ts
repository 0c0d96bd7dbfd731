/** How much memory and time may go into finding matches: a delta's bytes depend on it, not on the machine. */
export type DeltaEffort = 'fast' | 'normal' | 'max';

/** Bytes of a window: what an anchor is sampled by, keyed by and at least equal in. */
export const WINDOW_BYTES = 32;

/** Base and target are indexed and matched in pieces of this size; it is part of the algorithm. */
export const SEGMENT_BYTES = 1024 * 1024;

/** Positions from here on do not fit an entry of the table (36 bits, 0 stands for an empty slot). */
export const INDEXED_BASE_BYTES = 2 ** 36 - 1;

export const BUCKET_SLOTS = 8;
export const BUCKET_BYTES = 8 * BUCKET_SLOTS;

/** The largest table of all. */
const TABLE_MAX_BYTES = 2 ** 30;

/** How densely an effort samples. */
interface Density {
  /** Log2 of the average distance of two anchors, in a small base. */
  readonly leastBits: number;
  /** How large the table may be with so many bits, with one more, and so on; beyond these, TABLE_MAX_BYTES. */
  readonly tableBytes: readonly number[];
}

const DENSITY: Readonly<Record<DeltaEffort, Density>> = {
  fast: { leastBits: 7, tableBytes: [2 ** 22, 2 ** 22] },
  normal: { leastBits: 6, tableBytes: [2 ** 24, 2 ** 24, 2 ** 26] },
  max: { leastBits: 5, tableBytes: [2 ** 26] },
};

/** What the size of the base and the effort decide. */
export interface DeltaParameters {
  /** A window is an anchor when the top bits of its hash, as many as this, are 0: one in 2^sampleBits. */
  readonly sampleBits: number;
  /** Buckets of the anchor table: half full on average. */
  readonly buckets: number;
}

/** The parameters of every delta from a base of `baseBytes` bytes. */
export function deltaParameters(baseBytes: number, effort: DeltaEffort): DeltaParameters {
  const indexedBytes = Math.min(baseBytes, INDEXED_BASE_BYTES);
  const { leastBits, tableBytes } = DENSITY[effort];
  const bytesWith = (bits: number) => bucketsFor(indexedBytes, bits) * BUCKET_BYTES;
  const mostWith = (bits: number) => tableBytes[bits - leastBits] ?? TABLE_MAX_BYTES;
  let sampleBits = leastBits;
  while (bytesWith(sampleBits) > mostWith(sampleBits)) sampleBits += 1;
  return { sampleBits, buckets: bucketsFor(indexedBytes, sampleBits) };
}

/** The windows of a segment are cut into blocks of so many: hardly any has no anchor, unless its data is periodic. */
export function blockWindowsFor(sampleBits: number): number {
  return 16 << sampleBits;
}

function bucketsFor(indexedBytes: number, sampleBits: number): number {
  return Math.floor(indexedBytes / (2 ** sampleBits * (BUCKET_SLOTS / 2))) + 1;
}
