/** The block length for a file whose size is not known: rdiff's. */
const UNSIZED_BLOCK_BYTES = 2048;
/** The strong length that is enough for any file: rdiff's for one whose size is not known. */
const UNSIZED_STRONG_BYTES = 12;
const BLOCK_STEP_BYTES = 128;
const LEAST_BLOCK_BYTES = 256;

/**
 * The block length that rdiff recommends, `-b 0`: the square root of the size, rounded down to a multiple of 128, at
 * least 256; `sizeBytes` is undefined for a pipe.
 */
export function recommendedBlockBytes(sizeBytes: number | undefined): number {
  if (sizeBytes === undefined) return UNSIZED_BLOCK_BYTES;
  const root = Math.floor(Math.sqrt(sizeBytes));
  return Math.max(LEAST_BLOCK_BYTES, root - (root % BLOCK_STEP_BYTES));
}

/**
 * The least strong length that rdiff recommends, `-S -1`: with it a false match is as unlikely for a large file as for
 * a small one: two bytes, and a bit for each doubling of the places (no fewer than 2^24) and of the blocks that are
 * compared.
 */
export function leastStrongBytes(sizeBytes: number | undefined, blockBytes: number): number {
  if (sizeBytes === undefined) return UNSIZED_STRONG_BYTES;
  const bits = floorLog2(sizeBytes + 2 ** 24) + floorLog2(Math.floor(sizeBytes / blockBytes) + 1);
  return 2 + Math.ceil(bits / 8);
}

function floorLog2(value: number): number {
  let log = 0;
  while (2 ** (log + 1) <= value) log += 1;
  return log;
}
