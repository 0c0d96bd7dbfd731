import { type ErrorCode, UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';

/** The error for an answer with a status that was not expected. `location` is where a redirect leads to. */
export function refused({ name, method }: Request, status: number, location?: string): UpdateRepositoryError {
  const { code, hint } = meaningOf(status, location);
  return new UpdateRepositoryError(code, `${name}: ${method}: expected success, found status ${status}`, {
    data: { url: name, method, status },
    ...(hint === undefined ? {} : { hint }),
  });
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

function withoutLogin(location: string): string {
  if (!URL.canParse(location)) return 'another address';
  const { protocol, host, pathname } = new URL(location);
  return `${protocol}//${host}${pathname}`;
}
