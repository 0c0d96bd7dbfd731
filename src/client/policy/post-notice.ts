import { hostname } from 'node:os';
import type { Dispatcher } from 'undici';
import { UpdateRepositoryError } from '../../errors.js';
import type { UpdateCheckEvent } from '../../events.js';
import { TimeLimit } from '../../io/time-limit.js';
import { isLoopbackHost } from '../../net/http/address.js';
import { connectionTo } from '../../net/http/connection.js';
import { type Request, unanswered } from '../../net/http/failures.js';
import { persistently } from '../../net/persistently.js';
import { nameOfNotice } from './notice.js';
import type { TellOptions } from './tell.js';

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 1_000;
const ANSWER_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Of statuses that are no success, those that may be one a little later. */
const MAY_PASS: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Posts what a check has found to a webhook, as JSON: the members of the event and `device`, the name of this host. What
 * fails for want of an answer, or by a status that may pass, is tried again a few times. Redirects are not followed. No
 * message holds more of the URL than its server, as the rest may be a secret.
 *
 * @throws UpdateRepositoryError NETWORK, STORAGE for a refusal, INTERRUPTED
 */
export async function postNotice(url: URL, check: UpdateCheckEvent, { signal, onEvent }: TellOptions): Promise<void> {
  const name = nameOfNotice({ kind: 'webhook', url });
  const request: Request = { name, method: 'POST' };
  const body = JSON.stringify({ ...check, device: hostname() });
  const retries = { attempts: ATTEMPTS, firstPauseMs: FIRST_PAUSE_MS, onEvent };
  const dispatcher = await connectionTo({ loopback: isLoopbackHost(url.hostname) });
  try {
    await persistently(name, retries, signal, () => post(url, body, dispatcher, request, signal));
  } finally {
    await dispatcher.destroy();
  }
}

async function post(
  url: URL,
  body: string,
  dispatcher: Dispatcher,
  request: Request,
  signal: AbortSignal,
): Promise<void> {
  using limit = new TimeLimit(signal, ANSWER_TIMEOUT_MS);
  const inTime = limit.signal;
  try {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'update-repository' },
      body,
      signal: inTime,
    });
    const { statusCode } = answer;
    await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal: inTime });
    if (statusCode < 200 || statusCode > 299) throw refusal(request, statusCode);
  } catch (error) {
    throw unanswered(request, error, inTime);
  }
}

function refusal({ name, method }: Request, status: number): UpdateRepositoryError {
  const code = status >= 500 || MAY_PASS.has(status) ? 'NETWORK' : 'STORAGE';
  return new UpdateRepositoryError(
    code,
    `${name}: ${method}: expected the notice to be taken, found status ${status}`,
    {
      data: { url: name, method, status },
    },
  );
}
