import { setTimeout as wait } from 'node:timers/promises';
import { UpdateRepositoryError } from '../../errors.js';
import { livenessOf, ownIdentity } from '../../io/process-identity.js';
import { nonsense } from '../../net/http/failures.js';
import { type Lease, LOCK_PATH, lockedBy, readLease } from '../lease.js';
import type { Storage, StorageCall, StorageLock } from '../storage.js';
import type { HttpClient, Sent } from './client.js';
import { refused } from './failures.js';
import { parseXml, type XmlElement, XmlFault } from './xml.js';

/** What is asked for; the server may grant less. */
const LOCK_SECONDS = 600;
/** Taken of a server that does not say what it granted. */
const SHORT_LOCK_SECONDS = 60;
/** How long what has to be asked even after an abort may take then. */
const PARTING_MS = 10_000;
/** Longer than a server takes between looking for a lock and giving one. */
const SETTLE_MS = 1000;
const MAX_ANSWER_BYTES = 1 << 20;
const PROBE_ATTEMPTS = 3;

const LOCK_BODY =
  '<?xml version="1.0" encoding="utf-8"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>' +
  '<locktype><write/></locktype><owner>update-repository</owner></lockinfo>';

/**
 * Whether a server has locks (RFC 4918 §6) that another one does not get; `path` is an object of nobody's. Apache loses
 * one, or its end, now and then while others ask for theirs: what did not hold once is tried again.
 *
 * @throws UpdateRepositoryError NETWORK where the server does not say; what the client throws
 */
export async function hasLocks(client: HttpClient, path: string, call: StorageCall): Promise<boolean> {
  for (let attempt = 0; attempt < PROBE_ATTEMPTS; attempt += 1) {
    const { token, status } = await lock(client, path, call);
    // Apache's says 500 when many ask at once, which is no word on whether there are locks.
    if (status >= 500 && status !== 501) throw refused(client.about('LOCK', path), status);
    if (token === undefined) return false;
    const other = await lock(client, path, call);
    await unlock(client, path, token);
    const next = await lock(client, path, call);
    for (const left of [other.token, next.token ?? token]) if (left !== undefined) await unlock(client, path, left);
    if (other.status === 423 && next.token !== undefined) return true;
  }
  return false;
}

/**
 * Takes the server's lock on the lock object, and writes into it who has it. Apache gives it to two who ask in the same
 * millisecond, so whoever got it looks a second later whether the other one has written there. The server ends it when it is not renewed;
 * that of a process which this machine knows to be dead is ended at once.
 *
 * @throws UpdateRepositoryError LOCKED, naming the holder; what the client throws
 */
export async function acquireDavLock(client: HttpClient, storage: Storage, call: StorageCall): Promise<StorageLock> {
  let locked = await lock(client, LOCK_PATH, call);
  if (locked.status === 423) {
    const holder = await readLease(storage, call);
    if (holder !== null && livenessOf(holder) !== 'dead') throw lockedBy(storage, holder);
    if (holder !== null) await unlock(client, LOCK_PATH, holder.token);
    locked = await lock(client, LOCK_PATH, call);
  }
  const { token, seconds, status } = locked;
  if (token === undefined) throw refused(client.about('LOCK', LOCK_PATH), status);
  const held = new DavLock(client, storage, token, seconds, call);
  try {
    if (await held.sign()) await wait(SETTLE_MS, undefined, { signal: call.signal });
    await held.assertHeld();
    return held;
  } catch (error) {
    await held.release();
    throw call.signal.aborted ? new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error }) : error;
  }
}

class DavLock implements StorageLock {
  readonly #client: HttpClient;
  readonly #storage: Storage;
  readonly #token: string;
  readonly #seconds: number;
  readonly #call: StorageCall;
  readonly #since = new Date().toISOString();
  readonly #timer: NodeJS.Timeout;
  #renewing: Promise<void> = Promise.resolve();

  constructor(client: HttpClient, storage: Storage, token: string, seconds: number, call: StorageCall) {
    this.#client = client;
    this.#storage = storage;
    this.#token = token;
    this.#seconds = seconds;
    this.#call = call;
    this.#timer = setInterval(
      () => {
        this.#renewing = this.#renewInTime();
      },
      (seconds * 1000) / 3,
    );
    this.#timer.unref();
  }

  /** Says in the lock object who has it, and until when unless it is renewed. False where another one has it. */
  async sign(): Promise<boolean> {
    const expires = new Date(Date.now() + this.#seconds * 1000).toISOString();
    const lease: Lease = { ...ownIdentity(), since: this.#since, expires, token: this.#token };
    const { status } = await this.#client.send('PUT', LOCK_PATH, this.#call, {
      headers: { if: `(<${this.#token}>)`, 'content-type': 'application/json' },
      body: `${JSON.stringify(lease)}\n`,
    });
    return [200, 201, 204].includes(status);
  }

  async assertHeld(): Promise<void> {
    if ((await this.#renew()) && (await readLease(this.#storage, this.#call))?.token === this.#token) return;
    throw new UpdateRepositoryError('LOCKED', `${this.#storage.name}: the lock was lost to another publisher`, {
      data: { storage: this.#storage.name },
      hint: 'wait for it to end',
    });
  }

  /** Also of a publish that was told to stop. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    try {
      await unlock(this.#client, LOCK_PATH, this.#token);
    } catch (error) {
      // What the work came to counts, and the server ends the lock by itself.
      if (!(error instanceof UpdateRepositoryError)) throw error;
    }
  }

  /** What goes wrong here shows when the lock is asked for. */
  async #renewInTime(): Promise<void> {
    try {
      if (await this.#renew()) await this.sign();
    } catch (error) {
      if (!(error instanceof UpdateRepositoryError)) throw error;
    }
  }

  /** Whether the server still has it (RFC 4918 §9.10.2). nginx makes a new one where it has none, which is ended. */
  async #renew(): Promise<boolean> {
    const answer = await requestLock(this.#client, LOCK_PATH, this.#call, {
      headers: { if: `(<${this.#token}>)`, timeout: `Second-${LOCK_SECONDS}` },
    });
    if (answer.tokens.includes(this.#token)) return true;
    for (const token of answer.tokens) await unlock(this.#client, LOCK_PATH, token);
    return false;
  }
}

interface LockAnswer {
  readonly status: number;
  /** Of the lock that was got; none where another one has it. */
  readonly token: string | undefined;
  readonly seconds: number;
}

async function lock(client: HttpClient, path: string, call: StorageCall): Promise<LockAnswer> {
  const { status, tokens, seconds } = await requestLock(client, path, call, {
    headers: { depth: '0', timeout: `Second-${LOCK_SECONDS}`, 'content-type': 'application/xml; charset=utf-8' },
    body: LOCK_BODY,
  });
  return { status, token: tokens[0], seconds };
}

/**
 * A new lock, or one that is renewed, with the tokens that the answer speaks of: it describes the object's locks. After an
 * abort the answer is waited for: a lock that was given, and that nobody has heard of, would last.
 */
async function requestLock(
  client: HttpClient,
  path: string,
  call: StorageCall,
  sent: Sent,
): Promise<{ readonly status: number; readonly tokens: readonly string[]; readonly seconds: number }> {
  if (call.signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
  const { status, header, text } = await beyondAbort(call, (parting) =>
    client.text('LOCK', path, MAX_ANSWER_BYTES, parting, sent),
  );
  if (status !== 200 && status !== 201) return { status, tokens: [], seconds: 0 };
  try {
    const root = parseXml(text);
    const tokens = all(root, 'DAV:locktoken').flatMap((token) => all(token, 'DAV:href'));
    return { status, tokens: tokens.map((href) => href.text.trim()), seconds: grantedSeconds(root) };
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    // RFC 4918 §10.5: the token of a new lock is in a header, too.
    const [, token] = /^<(.+)>$/.exec(header('lock-token') ?? '') ?? [];
    if (token !== undefined) await unlock(client, path, token);
    throw nonsense(client.about('LOCK', path), 'a description of the lock', error.message);
  }
}

/** Also after an abort. A lock that is gone already is none either, so the status says nothing. */
async function unlock(client: HttpClient, path: string, token: string): Promise<void> {
  const parting = { signal: AbortSignal.timeout(PARTING_MS) };
  await client.send('UNLOCK', path, parting, { headers: { 'lock-token': `<${token}>` } });
}

/** Makes a request that an abort ends only some time later. */
async function beyondAbort<T>({ signal }: StorageCall, ask: (call: StorageCall) => Promise<T>): Promise<T> {
  const parting = new AbortController();
  const abort = () => setTimeout(() => parting.abort(), PARTING_MS).unref();
  signal.addEventListener('abort', abort);
  try {
    return await ask({ signal: parting.signal });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** From the `timeout` of the lock that the answer describes (RFC 4918 §14.29). */
function grantedSeconds(root: XmlElement): number {
  const [, seconds] = /^Second-(\d{1,10})$/.exec(all(root, 'DAV:timeout')[0]?.text.trim() ?? '') ?? [];
  return Math.min(LOCK_SECONDS, Math.max(1, Number(seconds ?? SHORT_LOCK_SECONDS)));
}

function all(element: XmlElement, name: string): XmlElement[] {
  return element.name === name ? [element] : element.children.flatMap((child) => all(child, name));
}
