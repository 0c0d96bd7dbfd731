import { UpdateRepositoryError } from '../../errors.js';
import { parseSha256Hex } from '../../metadata/brands.js';
import type { Sha256Entry } from '../../metadata/checksum-lists.js';

/*
 * What systemd-sysupdate reads in SHA256SUMS (src/sysupdate/sysupdate-resource.c in systemd's sources): lines of 64 hex
 * digits, a blank, a blank or an asterisk, a name and a newline. 257 refuses the whole list for one name with a slash.
 */

const BEST_BEFORE = 'BEST-BEFORE-';
const BEST_BEFORE_FILE = /^BEST-BEFORE-(\d{4}-\d\d-\d\d)$/;
const DAY_MS = 24 * 60 * 60 * 1000;
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

/** The day that such a name has, at its beginning by UTC; null for any other name. */
export function bestBeforeOf(fileName: string): Date | null {
  const [, text = ''] = BEST_BEFORE_FILE.exec(fileName) ?? [];
  const day = new Date(text);
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  return isDay && day.getUTCFullYear() >= 1970 ? day : null;
}

/**
 * Until when a list is to be good that is written `now`: for `durationMs` at least, to the beginning of a day. The day
 * that it has stays while half of the duration is left, so that not every build changes the list. Pure.
 */
export function chooseBestBefore(current: Date | null, durationMs: number, now: Date): Date {
  const next = new Date(Math.ceil((now.getTime() + durationMs) / DAY_MS) * DAY_MS);
  if (current === null || current > next) return next;
  return current.getTime() - now.getTime() >= durationMs / 2 ? current : next;
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
