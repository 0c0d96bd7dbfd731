const MIB = 1 << 20;

/** Up to here an object is stored by one request. */
export const MAX_BYTES_AT_ONCE = 64 * MIB;

/** What most parts have. */
export const PART_BYTES = 16 * MIB;

/** S3's limit. */
const MAX_PARTS = 10_000;

/** The size of all parts but the last of an object: it depends on nothing else, so that the next run finds the same. */
export function partBytesOf(sizeBytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB);
}
