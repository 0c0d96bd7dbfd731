import { UpdateRepositoryError } from '../../errors.js';

/** What a failure is about. */
export interface Request {
  /** The address of the object. */
  readonly name: string;
  readonly method: string;
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

/** Null where it is a bug of ours and none of the connection. */
function reasonOf(cause: unknown): { readonly code: string; readonly text: string } | null {
  if (!(cause instanceof Error)) return null;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  // undici's, where the answer is none of HTTP at all: it has a code only for some of them.
  if (cause.name === 'HTTPParserError') return { code: 'HPE', text: cause.message };
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
