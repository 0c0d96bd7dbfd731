import { UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';

/** Longer than that nobody waits for a server, whatever it says. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/** The error for an answer that makes no sense just now; the next one may. */
export function unfit({ name, method }: Request, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NETWORK', `${name}: ${method}: expected ${expected}, found ${found}`, {
    data: { url: name, method, expected, found },
  });
}

/** `data.reason` of the error where a server was given up because it was slow, however it did that: TUF's name of the attack. */
export const SLOW_RETRIEVAL = 'slow-retrieval';

/** The error for an answer that does not come, or hardly; the next one may. */
export function tooSlow({ name, method }: Request, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NETWORK', `${name}: ${method}: expected ${expected}, found ${found}`, {
    data: { url: name, method, expected, found, reason: SLOW_RETRIEVAL },
  });
}

/**
 * The error for an answer that is no success: NOT_FOUND where there is no such file, NETWORK where it is worth asking again,
 * with `retryAfterMs` where the server says when, and else STORAGE.
 */
export function unsuccessful({ name, method }: Request, status: number, retryAfter?: string): UpdateRepositoryError {
  const message = `${name}: ${method}: expected success, found status ${status}`;
  const data = { url: name, method, status };
  if (status === 404 || status === 410) return new UpdateRepositoryError('NOT_FOUND', message, { data });
  const isForNow = status >= 500 || status === 408 || status === 425 || status === 429;
  if (!isForNow) return new UpdateRepositoryError('STORAGE', message, { data });
  const retryAfterMs = pauseOf(retryAfter);
  return new UpdateRepositoryError('NETWORK', message, {
    data: { ...data, ...(retryAfterMs === null ? {} : { retryAfterMs }) },
  });
}

/** Retry-After is seconds or a date (RFC 9110 §10.2.3). */
function pauseOf(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined) return null;
  const ms = /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, Math.round(ms)));
}
