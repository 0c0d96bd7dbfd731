import { UpdateRepositoryError } from '../../errors.js';
import { parseSha256Hex } from '../../metadata/brands.js';
import type { Sha256Entry } from '../../metadata/checksum-lists.js';

/*
 * What systemd-sysupdate reads in SHA256SUMS (src/sysupdate/sysupdate-resource.c in systemd's sources): lines of 64 hex
 * digits, a blank, a blank or an asterisk, a name and a newline. 257 refuses the whole list for one name with a slash.
 */

const BEST_BEFORE = 'BEST-BEFORE-';
const SHA256_OF_NOTHING = parseSha256Hex(
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'SHA-256 of no bytes',
);

/** The name of the empty file that says until when a list is good, `BEST-BEFORE-YYYY-MM-DD` by UTC. */
export function bestBeforeFile(date: Date): string {
  const year = date.getUTCFullYear();
  if (!(year >= 1970 && year <= 9999)) {
    throw new UpdateRepositoryError('CONFIG', `best before: expected a year from 1970 to 9999, found ${year}`);
  }
  return `${BEST_BEFORE}${date.toISOString().slice(0, 10)}`;
}

/**
 * The entries of SHA256SUMS with one first that says until when they are good, in place of any that said so before.
 * systemd-sysupdate 262 refuses the list from the beginning of that day on; others see an empty file, which has to be
 * beside the list for `sha256sum -c`.
 */
export function withBestBefore(entries: readonly Sha256Entry[], date: Date): Sha256Entry[] {
  return [
    { path: bestBeforeFile(date), sha256: SHA256_OF_NOTHING },
    ...entries.filter(({ path }) => !path.startsWith(BEST_BEFORE)),
  ];
}
