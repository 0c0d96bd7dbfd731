/** How much memory and time may go into finding matches: a delta's bytes depend on it, not on the machine. */
export type DeltaEffort = 'fast' | 'normal' | 'max';

/** Bytes of a window: what an anchor is sampled by, keyed by and at least equal in. */
export const WINDOW_BYTES = 32;

/** Base and target are indexed and matched in pieces of this size; it is part of the algorithm. */
export const SEGMENT_BYTES = 2 * 1024 * 1024;

/** Positions from here on do not fit an entry of the table (36 bits, 0 stands for an empty slot). */
export const INDEXED_BASE_BYTES = 2 ** 36 - 1;

const TABLE_MAX_BYTES = 2 ** 30;
export const BUCKET_SLOTS = 8;
export const BUCKET_BYTES = 8 * BUCKET_SLOTS;

/** Log2 of the average distance of two anchors, as long as the table then stays below its largest size. */
const SAMPLE_BITS: Readonly<Record<DeltaEffort, number>> = { fast: 9, normal: 8, max: 6 };

/** What the size of the base and the effort decide. */
export interface DeltaParameters {
  /** A window is an anchor when the top bits of its gear hash, as many as this, are 0: one in 2^sampleBits. */
  readonly sampleBits: number;
  /** Buckets of the anchor table: half full on average. */
  readonly buckets: number;
}

/** The parameters of every delta from a base of `baseBytes` bytes. */
export function deltaParameters(baseBytes: number, effort: DeltaEffort): DeltaParameters {
  const indexedBytes = Math.min(baseBytes, INDEXED_BASE_BYTES);
  let sampleBits = SAMPLE_BITS[effort];
  while (bucketsFor(indexedBytes, sampleBits) * BUCKET_BYTES > TABLE_MAX_BYTES) sampleBits += 1;
  return { sampleBits, buckets: bucketsFor(indexedBytes, sampleBits) };
}

function bucketsFor(indexedBytes: number, sampleBits: number): number {
  return Math.floor(indexedBytes / (2 ** sampleBits * (BUCKET_SLOTS / 2))) + 1;
}
