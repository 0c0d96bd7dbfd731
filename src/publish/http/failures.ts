import { type ErrorCode, UpdateRepositoryError } from '../../errors.js';

/** What a failure is about. */
export interface Request {
  /** The address of the object. */
  readonly name: string;
  readonly method: string;
}

/** The error for an answer with a status that was not expected. `location` is where a redirect leads to. */
export function refused({ name, method }: Request, status: number, location?: string): UpdateRepositoryError {
  const { code, hint } = meaningOf(status, location);
  return new UpdateRepositoryError(code, `${name}: ${method}: expected success, found status ${status}`, {
    data: { url: name, method, status },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The error for an answer that makes no sense. */
export function nonsense({ name, method }: Request, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('STORAGE', `${name}: ${method}: expected ${expected}, found ${found}`, {
    data: { url: name, method, expected, found },
  });
}

/**
 * The error for a request that got no answer, or not all of it. Errors of ours and bugs pass through unchanged.
 *
 * @param signal of the caller: an aborted one explains everything, and so does one of AbortSignal.timeout
 */
export function unanswered({ name, method }: Request, cause: unknown, signal: AbortSignal): unknown {
  if (cause instanceof UpdateRepositoryError) return cause;
  const data = { url: name, method };
  if (isTimeout(signal.reason)) {
    return new UpdateRepositoryError('NETWORK', `${name}: ${method}: expected an answer, found none in time`, {
      data,
      cause,
    });
  }
  if (signal.aborted) return new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause });
  const reason = reasonOf(cause);
  if (reason === null) return cause;
  const message = `${name}: ${method}: expected an answer, found ${reason.text}`;
  return isUntrusted(reason.code)
    ? new UpdateRepositoryError('STORAGE', message, { data, cause, hint: certificateHint(reason.code) })
    : new UpdateRepositoryError('NETWORK', message, { data, cause });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

function meaningOf(status: number, location: string | undefined): Meaning {
  if (location !== undefined && status >= 300 && status < 400) {
    return { code: 'STORAGE', hint: `it leads to ${withoutLogin(location)}: publish to the address where it ends` };
  }
  switch (status) {
    case 401:
      return {
        code: 'STORAGE',
        hint: 'put user and password into ~/.netrc; they are sent over https, and to this machine, only',
      };
    case 403:
      return { code: 'STORAGE', hint: 'this user has to be allowed to write there' };
    case 405:
    case 501:
      return { code: 'STORAGE', hint: 'the server has to take WebDAV, or PUT and DELETE' };
    case 413:
      return { code: 'STORAGE', hint: 'raise the limit of the server (client_max_body_size, LimitRequestBody)' };
    case 423:
      return { code: 'LOCKED', hint: 'another WebDAV client holds a lock on it' };
    case 408:
    case 429:
      return { code: 'NETWORK' };
    case 507:
      return { code: 'NO_SPACE', hint: 'free some space on the server and run it again' };
    default:
      return { code: status >= 500 ? 'NETWORK' : 'STORAGE' };
  }
}

/** Null where it is a bug of ours and none of the connection. */
function reasonOf(cause: unknown): { readonly code: string; readonly text: string } | null {
  if (!(cause instanceof Error)) return null;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  if (!('code' in cause) || typeof cause.code !== 'string' || cause.code === 'UND_ERR_INVALID_ARG') return null;
  return { code: cause.code, text: cause.message === '' ? cause.code : `${cause.message} (${cause.code})` };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

function isUntrusted(code: string): boolean {
  return /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code);
}

function certificateHint(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'renew the certificate of the server';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate of the server has to name this host';
  return 'name the file of its certificate authority in NODE_EXTRA_CA_CERTS';
}

function withoutLogin(location: string): string {
  if (!URL.canParse(location)) return 'another address';
  const { protocol, host, pathname } = new URL(location);
  return `${protocol}//${host}${pathname}`;
}
