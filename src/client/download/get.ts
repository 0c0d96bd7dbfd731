import type { Dispatcher } from 'undici';
import { UpdateRepositoryError } from '../../errors.js';
import type { Request } from '../../net/http/failures.js';
import type { Connections } from './connections.js';
import { nameOfUrl } from './sources.js';

const MAX_REDIRECTS = 5;

/** An answer whose body is still to be read, or dropped. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: Dispatcher.ResponseData['body'];
}

/** What a file is called in messages about a request for it. */
export function requestFor(url: URL): Request {
  return { name: nameOfUrl(url), method: 'GET' };
}

/**
 * Asks for `url` and follows redirects, never from https to http. No password is sent to anybody.
 *
 * @throws UpdateRepositoryError STORAGE for a redirect that is not followed
 * @throws what undici does, or the reason of `signal`
 */
export async function get(
  url: URL,
  headers: Readonly<Record<string, string>>,
  connections: Connections,
  signal: AbortSignal,
): Promise<Answer> {
  let at = url;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await send(at, headers, connections, signal);
    const location = answer.header('location');
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    drop(answer);
    if (redirects === MAX_REDIRECTS) throw refusedRedirect(url, `at most ${MAX_REDIRECTS} redirects`, 'more');
    at = follow(url, at, location);
  }
}

/** Ends an answer; its connection too, where not all of it was read. */
export function drop({ body }: Answer): void {
  body.on('error', () => undefined).destroy();
}

async function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  connections: Connections,
  signal: AbortSignal,
): Promise<Answer> {
  const dispatcher = await connections.to(url);
  const {
    statusCode,
    headers: received,
    body,
  } = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    signal,
    // Whoever asks watches over the pace.
    bodyTimeout: 0,
    headersTimeout: 0,
    headers: { 'accept-encoding': 'identity', 'user-agent': 'update-repository', ...headers },
  });
  const header = (name: string) => {
    const value = received[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  return { status: statusCode, header, body };
}

function follow(asked: URL, from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw refusedRedirect(asked, 'a redirect to a URL', 'one that cannot be read');
  const to = new URL(location, from);
  to.hash = '';
  const isPlainUrl = to.username === '' && to.password === '';
  const isFollowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (isPlainUrl && isFollowed) return to;
  const expected = from.protocol === 'https:' ? 'a redirect to https' : 'a redirect to http or https';
  throw refusedRedirect(asked, `${expected} without a password`, `one to ${to.protocol}//${to.host}`);
}

function refusedRedirect(url: URL, expected: string, found: string): UpdateRepositoryError {
  const { name, method } = requestFor(url);
  return new UpdateRepositoryError('STORAGE', `${name}: ${method}: expected ${expected}, found ${found}`, {
    data: { url: name, method, expected, found },
  });
}
