import type { Sha256Hex, Sha512Hex } from './brands.js';

/** The three checksums that a mirror publishes of every image and delta. */
export interface Digests {
  /** What POSIX `cksum` prints first: a CRC-32 as a decimal number, without leading zeros. */
  readonly cksum: string;
  readonly sha256: Sha256Hex;
  readonly sha512: Sha512Hex;
}

/** How a message calls the form of {@link Digests.cksum}. */
export const CKSUM_FORM = 'a decimal number below 2^32 without leading zeros';

/** Whether `text` is a number as POSIX `cksum` prints it. */
export function isCksum(text: string): boolean {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(text) && Number(text) < 2 ** 32;
}
