import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { UpdateRepositoryError } from '../../errors.js';
import { nonsense } from '../../net/http/failures.js';
import type {
  PutCondition,
  PutRequest,
  Storage,
  StorageAbilities,
  StorageCall,
  StorageLock,
  StoredObject,
} from '../storage.js';
import { bodyOf } from './body.js';
import type { HttpClient } from './client.js';
import { acquireDavLock } from './dav-lock.js';
import type { Directories } from './directories.js';
import { discard } from './discard.js';
import { refused } from './failures.js';
import { listDirectory, TEMPORARY_DIR, walk } from './listing.js';
import { probeServer, type ServerPowers } from './probe.js';
import { type Facts, revisionOf, timeOf, waitForNextSecondMs } from './revision.js';
import { factsOf, requireFacts } from './stat.js';

const STORED = [200, 201, 204];
const REMOVED = [200, 202, 204, 404, 410];
/** After which what another publish left behind, killed between two requests, is in nobody's hands. */
const ABANDONED_MS = 24 * 3_600_000;

/**
 * A directory of a web server that takes WebDAV, or only PUT and DELETE. Whether an object appears at once is up to the
 * server, and so is whether it is on a disk then.
 */
export class HttpStorage implements Storage {
  readonly name: string;
  readonly #client: HttpClient;
  readonly #directories: Directories;
  #powers: ServerPowers;
  #cleaned: Promise<void> | null = null;

  /** `powers` are what the server was seen to have, `directories` those that were seen in it. */
  constructor(client: HttpClient, directories: Directories, powers: ServerPowers) {
    this.name = client.address.name;
    this.#client = client;
    this.#directories = directories;
    this.#powers = powers;
  }

  get abilities(): StorageAbilities {
    const { conditionalPut, storing } = this.#powers;
    return { conditionalPut, atomicPut: storing === 'staged-put' };
  }

  /** Where the server has locks. */
  get lock(): ((call: StorageCall) => Promise<StorageLock>) | undefined {
    return this.#powers.lock ? async (call) => await acquireDavLock(this.#client, this, call) : undefined;
  }

  async prepare(call: StorageCall): Promise<void> {
    this.#powers = await probeServer(this.#client, this.#directories, call);
  }

  async *list(prefix: string, call: StorageCall): AsyncGenerator<StoredObject> {
    const seen = (directory: string) => this.#directories.seen(directory);
    for await (const entry of walk(this.#client, this.#powers.listing, prefix, call, seen)) {
      const { path, sizeBytes } = entry;
      // One that the server does not tell the size of is none of ours.
      if (sizeBytes !== null) yield this.#described(path, { ...entry, sizeBytes });
    }
  }

  async stat(path: string, call: StorageCall): Promise<StoredObject | null> {
    const facts = await factsOf(this.#client, path, call);
    return facts === null ? null : this.#described(path, facts);
  }

  async read(path: string, call: StorageCall): Promise<AsyncIterable<Uint8Array> | null> {
    return await this.#client.bytes(path, call);
  }

  async put(request: PutRequest, call: StorageCall): Promise<StoredObject | null> {
    const { path, condition } = request;
    // MOVE would remove it, with all that others have in it.
    if (this.#directories.isTaken(path)) throw nonsense(this.#client.about('PUT', path), 'no directory there', 'one');
    await this.#cleanOnce(call);
    await this.#directories.makeFor(path, call);
    if (condition !== undefined) return await this.#putOnCondition(request, condition, call);
    const before = this.#powers.fineRevisions ? null : await factsOf(this.#client, path, call);
    if (before === null) return await this.#store(request, call);
    await pause(waitForNextSecondMs(before, before.date), call);
    const stored = await this.#store(request, call);
    if (stored.revision !== this.#described(path, before).revision) return stored;
    // The clock of the server's disk is behind.
    await pause(waitForNextSecondMs(before, undefined), call);
    call.onRestart?.();
    return await this.#store(request, call);
  }

  async remove(paths: readonly string[], call: StorageCall): Promise<void> {
    for (const path of paths) await this.#client.demand('DELETE', path, REMOVED, call);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #store(request: PutRequest, call: StorageCall): Promise<StoredObject> {
    const { path } = request;
    if (this.#powers.storing === 'put-and-move') await this.#putAndMove(request, call);
    else await this.#client.demand('PUT', path, STORED, call, bodyOf(request, call));
    return this.#described(path, await requireFacts(this.#client, path, call));
  }

  async #putAndMove(request: PutRequest, call: StorageCall): Promise<void> {
    // The same name the next time: what a killed publish left of it is replaced.
    const key = createHash('sha256').update(`${request.path}\n${request.sha256}`).digest('hex');
    const temporary = TEMPORARY_DIR + key.slice(0, 32);
    await this.#directories.makeFor(temporary, call);
    try {
      await this.#client.demand('PUT', temporary, STORED, call, bodyOf(request, call));
      const { status, header } = await this.#client.move(temporary, request.path, call);
      if (!STORED.includes(status)) throw refused(this.#client.about('MOVE', temporary), status, header('location'));
    } catch (error) {
      await discard(this.#client, [temporary]);
      throw error;
    }
  }

  /** MOVE heeds no condition on where it leads to, so this one is stored in place. */
  async #putOnCondition(request: PutRequest, condition: PutCondition, call: StorageCall): Promise<StoredObject | null> {
    const { path, sizeBytes } = request;
    const header = condition.kind === 'absent' ? { 'if-none-match': '*' } : { 'if-match': condition.revision };
    const { headers, ...sent } = bodyOf(request, call);
    const answer = await this.#client.send('PUT', path, call, { ...sent, headers: { ...headers, ...header } });
    if (answer.status === 412) return null;
    if (!STORED.includes(answer.status)) throw refused(this.#client.about('PUT', path), answer.status);
    const etag = answer.header('etag');
    if (etag === undefined) throw nonsense(this.#client.about('PUT', path), 'an ETag, as at first', 'none');
    return this.#described(path, { sizeBytes, etag, lastModified: undefined });
  }

  /**
   * Once, before the first object is stored: from then on this publisher is the only one. One that fails is forgotten: the
   * next request asks again.
   */
  async #cleanOnce(call: StorageCall): Promise<void> {
    this.#cleaned ??= this.#clean(call);
    try {
      await this.#cleaned;
    } catch (error) {
      this.#cleaned = null;
      throw error;
    }
  }

  async #clean(call: StorageCall): Promise<void> {
    const entries = await listDirectory(this.#client, this.#powers.listing, TEMPORARY_DIR, call);
    const isAbandoned = (time: number | null) => time !== null && time < Date.now() - ABANDONED_MS;
    const abandoned = entries?.filter(({ lastModified }) => isAbandoned(timeOf(lastModified))) ?? [];
    await this.remove(
      abandoned.map(({ name }) => TEMPORARY_DIR + name),
      call,
    );
  }

  #described(path: string, facts: Facts): StoredObject {
    return { path, sizeBytes: facts.sizeBytes, revision: revisionOf(this.#powers.revisions, facts) };
  }
}

async function pause(timeMs: number, { signal }: StorageCall): Promise<void> {
  if (timeMs === 0) return;
  try {
    await wait(timeMs, undefined, { signal });
  } catch (cause) {
    throw signal.aborted ? new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause }) : cause;
  }
}
