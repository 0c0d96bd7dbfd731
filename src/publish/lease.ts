import { randomBytes } from 'node:crypto';
import { hasCode, UpdateRepositoryError } from '../errors.js';
import { livenessOf, ownIdentity, type ProcessIdentity } from '../io/process-identity.js';
import { type JsonNode, jsonCount, jsonMember, jsonString, parseJson } from '../metadata/json-node.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { readText } from './read-text.js';
import { cacheRule, textObject } from './release.js';
import type { PutCondition, Storage, StorageCall, StorageLock, StoredObject } from './storage.js';

/** Where the lock lies in a storage. */
export const LOCK_PATH = `${PRIVATE_DIR}/publish.lock`;

const LEASE_MS = 10 * 60_000;
const RENEW_MS = 60_000;
const RELEASE_MS = 10_000;
const MAX_LOCK_BYTES = 4096;

/** Who publishes, and until when others have to believe that it still does. */
export interface Lease extends ProcessIdentity {
  readonly since: string;
  readonly expires: string;
  readonly token: string;
}

/**
 * Takes a lock that lies in the storage, by conditional writes: one publisher wins, and renews it every minute. Another
 * one's lock is taken over only when it has expired, or when this machine knows that its process is dead.
 *
 * @throws UpdateRepositoryError LOCKED, naming the holder; what the storage throws
 */
export async function acquireLease(storage: Storage, call: StorageCall): Promise<StorageLock> {
  const token = randomBytes(8).toString('hex');
  const since = new Date().toISOString();
  const write: WriteLease = (condition, leaseMs, call) => {
    const expires = new Date(Date.now() + leaseMs).toISOString();
    return putLease(storage, { ...ownIdentity(), since, expires, token }, condition, call);
  };
  let held = await write({ kind: 'absent' }, LEASE_MS, call);
  if (held === null) held = await takeOver(storage, token, write, call);
  return new HeldLease(storage, token, held, write, call);
}

type WriteLease = (condition: PutCondition, leaseMs: number, call: StorageCall) => Promise<StoredObject | null>;

async function takeOver(storage: Storage, token: string, write: WriteLease, call: StorageCall): Promise<StoredObject> {
  const found = await storage.stat(LOCK_PATH, call);
  const lease = found === null ? null : await readLease(storage, call);
  if (found !== null && lease !== null) {
    // The answer to our own request was lost, and it was asked again.
    if (lease.token === token) return found;
    if (isLive(lease)) throw lockedBy(storage, lease);
  }
  const condition: PutCondition = found === null ? { kind: 'absent' } : { kind: 'revision', revision: found.revision };
  const held = await write(condition, LEASE_MS, call);
  if (held !== null) return held;
  const winner = await readLease(storage, call);
  const own = winner?.token === token ? await storage.stat(LOCK_PATH, call) : null;
  if (own !== null) return own;
  if (winner !== null && isLive(winner)) throw lockedBy(storage, winner);
  throw new UpdateRepositoryError('LOCKED', `${storage.name}: another publisher took the lock at the same time`, {
    data: { storage: storage.name },
    hint: 'wait for it to end',
  });
}

function isLive(lease: Lease): boolean {
  return Date.parse(lease.expires) > Date.now() && livenessOf(lease) !== 'dead';
}

class HeldLease implements StorageLock {
  readonly #storage: Storage;
  readonly #token: string;
  readonly #call: StorageCall;
  readonly #write: WriteLease;
  readonly #timer: NodeJS.Timeout;
  #held: StoredObject | null;
  #expiresAt = Date.now() + LEASE_MS;
  #renewing: Promise<void> = Promise.resolve();
  /** Why it could not be renewed the last time. */
  #failure: unknown;

  constructor(storage: Storage, token: string, held: StoredObject, write: WriteLease, call: StorageCall) {
    this.#storage = storage;
    this.#token = token;
    this.#held = held;
    this.#write = write;
    this.#call = call;
    this.#timer = setInterval(() => {
      this.#renewing = this.#renew();
    }, RENEW_MS);
    this.#timer.unref();
  }

  async assertHeld(): Promise<void> {
    await this.#renewing;
    if (this.#held !== null && Date.now() < this.#expiresAt) {
      const lease = await readLease(this.#storage, this.#call);
      if (lease?.token === this.#token) return;
    }
    throw new UpdateRepositoryError('LOCKED', `${this.#storage.name}: the lock was lost while this process published`, {
      data: { storage: this.#storage.name },
      cause: this.#failure,
    });
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    if (this.#held === null) return;
    const { revision } = this.#held;
    this.#held = null;
    try {
      // It stays there, expired: no storage removes an object on condition that it is still ours. The work may have been
      // aborted, which is no reason to keep others out.
      await this.#write({ kind: 'revision', revision }, 0, { signal: AbortSignal.timeout(RELEASE_MS) });
    } catch (error) {
      // What the work came to counts, and the lease expires by itself.
      if (!(error instanceof UpdateRepositoryError)) throw error;
    }
  }

  async #ownLease(): Promise<StoredObject | null> {
    const found = await this.#storage.stat(LOCK_PATH, this.#call);
    const lease = await readLease(this.#storage, this.#call);
    return lease?.token === this.#token ? found : null;
  }

  /** What goes wrong here shows when the lock is asked for: until it expires it is held. */
  async #renew(): Promise<void> {
    if (this.#held === null) return;
    const startedAt = Date.now();
    try {
      const renewed = await this.#write({ kind: 'revision', revision: this.#held.revision }, LEASE_MS, this.#call);
      // The condition is broken also where it was our own request that took effect, and its answer was lost.
      this.#held = renewed ?? (await this.#ownLease());
      if (this.#held !== null) this.#expiresAt = startedAt + LEASE_MS;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
  }
}

async function putLease(
  storage: Storage,
  lease: Lease,
  condition: PutCondition,
  call: StorageCall,
): Promise<StoredObject | null> {
  const object = textObject(LOCK_PATH, `${JSON.stringify(lease)}\n`, 'application/json');
  return await storage.put({ ...object, cacheControl: cacheRule('index'), condition }, call);
}

/** Null where there is none, or one that no publisher can have written, such as one that was cut off. */
export async function readLease(storage: Storage, call: StorageCall): Promise<Lease | null> {
  try {
    const json = await readText(storage, LOCK_PATH, MAX_LOCK_BYTES, call);
    return json === null ? null : parseLease(storage, json);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

function parseLease(storage: Storage, json: string): Lease {
  const root = parseJson(json, { file: `${storage.name}/${LOCK_PATH}`, code: 'FORMAT' });
  const text = (name: string) => textOf(jsonMember(root, name));
  const textOrNull = (name: string) => {
    const node = jsonMember(root, name);
    return node.value === null ? null : textOf(node);
  };
  return {
    host: text('host'),
    pid: jsonCount(jsonMember(root, 'pid')),
    bootId: textOrNull('bootId'),
    pidNamespace: textOrNull('pidNamespace'),
    startTicks: textOrNull('startTicks'),
    since: text('since'),
    expires: text('expires'),
    token: text('token'),
  };
}

function textOf(node: JsonNode): string {
  return jsonString(node, 'a text', () => true);
}

/** The error that names who holds a lock. */
export function lockedBy({ name }: Storage, { host, pid, since, expires }: Lease): UpdateRepositoryError {
  return new UpdateRepositoryError('LOCKED', `${name}: held by process ${pid} on ${host} since ${since}`, {
    data: { storage: name, host, pid, since, expires },
    hint: `wait for it to end; if it is gone, its lock expires at ${expires}`,
  });
}
