import { randomBytes } from 'node:crypto';

/** What a server says of an object, in the headers of an answer or in a listing. */
export interface Facts {
  readonly sizeBytes: number;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** What a revision is made of: what the server's listing has and its answers have too. */
export type RevisionKind = 'etag' | 'time';

/**
 * The revision of an object: its ETag, else its size and the second in which it was last changed. One that nothing is
 * known of has another revision each time. That an ETag is weak for a while after a change, as Apache has it, is left
 * out of it.
 */
export function revisionOf(kind: RevisionKind, { sizeBytes, etag, lastModified }: Facts): string {
  if (kind === 'etag' && etag !== undefined) return etag.replace(/^W\//, '');
  const changedAt = timeOf(lastModified);
  return changedAt === null ? `unknown ${randomBytes(8).toString('hex')}` : `${sizeBytes}-${changedAt / 1000}`;
}

/**
 * How long to wait so that whatever is stored then is of another second than what is there, where a revision says no
 * more than the second.
 *
 * @param date the server's clock as it gave `there`
 */
export function waitForNextSecondMs(there: Facts, date: string | undefined): number {
  const [changedAt, now] = [timeOf(there.lastModified), timeOf(date)];
  const elapsedMs = changedAt === null || now === null ? 0 : Math.max(0, now - changedAt);
  // The times of files are some milliseconds late.
  return Math.max(0, 1100 - elapsedMs);
}

/** Milliseconds; null for what is no time. */
export function timeOf(date: string | undefined): number | null {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? null : time;
}
