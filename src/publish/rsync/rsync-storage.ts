import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '../../errors.js';
import type { ManyCall, PutRequest, Storage, StorageAbilities, StorageCall, StoredObject } from '../storage.js';
import type { RsyncAddress } from './address.js';
import { isOnlyMissing, rsyncFailure } from './failure.js';
import { type ListedEntry, parseListedLine } from './listing.js';
import { PARTIAL_DIR, RemoteRsync } from './remote-rsync.js';
import { withScratch } from './scratch.js';
import { differingPaths, PROGRESS, progressReader, rateOption, sendStaged } from './sending.js';
import { stagedInBatches } from './staged-batches.js';
import type { Staging } from './staging.js';

/**
 * A directory that rsync reaches, over ssh or as a module of an rsync daemon; the other side needs nothing but rsync 3.1. An
 * object appears by rename when it is complete and its checksum was compared. What a cut transfer has sent stays
 * there, in directories with a dot, and is not sent again. A revision is size and time of the last change in seconds: each
 * put of a small object has a time that this client has not seen there, a large one keeps the time of its file.
 */
export class RsyncStorage implements Storage {
  readonly name: string;
  readonly abilities: StorageAbilities = { conditionalPut: false, atomicPut: true };
  readonly readsAhead = true;
  readonly #rsync: RemoteRsync;
  /** The time that each object had when it was seen last. */
  readonly #times = new Map<string, number>();
  /** Ends with the last of the reads that wait for each other. */
  #reading: Promise<unknown> = Promise.resolve();
  /** All directories that are there; undefined before they were listed. */
  #directories: Set<string> | undefined;

  constructor(address: RsyncAddress) {
    this.name = address.name;
    this.#rsync = new RemoteRsync(address);
  }

  async *list(prefix: string, { signal }: StorageCall): AsyncGenerator<StoredObject> {
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const entries = await this.#entries([start === '' ? './' : start], signal, '--recursive');
    if (start === '') this.#directories = new Set(entries.filter(isDirectory).map(({ path }) => path));
    for (const object of this.#objects(entries)) if (object.path.startsWith(prefix)) yield object;
  }

  async stat(path: string, { signal }: StorageCall): Promise<StoredObject | null> {
    return this.#objects(await this.#entries([path], signal)).find((object) => object.path === path) ?? null;
  }

  /** By way of a local temporary file. With a rate one after the other: each rsync would take all of it. */
  async read(path: string, call: StorageCall): Promise<AsyncIterable<Uint8Array> | null> {
    if (call.bytesPerSecond === undefined) return await this.#fetch(path, call);
    const before = this.#reading;
    const fetched = before.then(() => this.#fetch(path, call));
    this.#reading = Promise.allSettled([fetched]);
    return await fetched;
  }

  async #fetch(
    path: string,
    { signal, onBytes, bytesPerSecond }: StorageCall,
  ): Promise<AsyncIterable<Uint8Array> | null> {
    const progress = new ToldBytes(onBytes);
    return await withScratch(async (scratch) => {
      const onLine = progressReader(new Set([path]), (_, doneBytes) => progress.upTo(doneBytes));
      const options = [...PROGRESS, ...rateOption(bytesPerSecond)];
      const end = await this.#rsync.fetch(options, scratch, { names: [path], signal, onLine });
      await progress.heard();
      const isVanished = end.code === 24;
      if (end.code !== 0 && !isVanished && !isOnlyMissing(end)) {
        throw rsyncFailure(this.#rsync.nameOf([path]), 'read it', end);
      }
      const file = await openIfThere(join(scratch, path));
      // Its bytes stay for as long as it is open.
      return file === null ? null : pieces(file);
    });
  }

  async put(request: PutRequest, { signal, onBytes }: StorageCall): Promise<StoredObject | null> {
    const progress = new ToldBytes(onBytes);
    await onBytes?.(0);
    const onProgress = (_: string, doneBytes: number): void => progress.upTo(doneBytes);
    const [stored] = await this.putMany([request], { signal, onProgress });
    await progress.heard();
    return stored ?? null;
  }

  async putMany(requests: readonly PutRequest[], call: ManyCall): Promise<StoredObject[]> {
    const stored: StoredObject[] = [];
    for await (const staging of this.#staged(requests, call)) stored.push(...(await this.#send(staging, call)));
    return stored;
  }

  async same(requests: readonly PutRequest[], call: ManyCall): Promise<StoredObject[]> {
    const same: StoredObject[] = [];
    for await (const staging of this.#staged(requests, call)) same.push(...(await this.#compare(staging, call)));
    return same;
  }

  async remove(paths: readonly string[], { signal }: StorageCall): Promise<void> {
    if (paths.length === 0) return;
    const there = this.#objects(await this.#entries(paths, signal)).map(({ path }) => path);
    if (there.length === 0) return;
    await withScratch(async (scratch) => {
      // Names that are missing here are removed there; a directory that is missing too would be complained of.
      for (const path of there) await mkdir(dirname(join(scratch, path)), { recursive: true });
      const end = await this.#rsync.push(['--delete-missing-args'], scratch, { names: there, signal });
      if (end.code !== 0) throw rsyncFailure(this.#rsync.nameOf(there), 'remove it', end);
    });
  }

  async close(): Promise<void> {
    // Each call has a connection of its own.
  }

  #staged(requests: readonly PutRequest[], { signal }: ManyCall): AsyncGenerator<Staging> {
    const now = Math.floor(Date.now() / 1000);
    const distinct = [...new Map(requests.map((request) => [request.path, request])).values()];
    return stagedInBatches(distinct, (path) => Math.max(now, (this.#times.get(path) ?? 0) + 1), signal);
  }

  /** That rsync ended well says that each was received whole, with this time: nothing has to be asked for again. */
  async #send(staging: Staging, call: ManyCall): Promise<StoredObject[]> {
    const directories = this.#missingDirectories(staging.objects.map(({ request }) => request.path));
    await sendStaged(this.#rsync, staging, directories, call);
    for (const directory of directories) this.#directories?.add(directory);
    return staging.objects.map(({ request: { path, sizeBytes }, mtimeSeconds }) =>
      this.#object({ path, sizeBytes, mtimeSeconds }),
    );
  }

  async #compare(staging: Staging, { signal, onProgress }: ManyCall): Promise<StoredObject[]> {
    const sizes = new Map(staging.objects.map(({ request }) => [request.path, request.sizeBytes]));
    const listed = this.#objects(await this.#entries([...sizes.keys()], signal));
    const candidates = listed.filter(({ path, sizeBytes }) => sizes.get(path) === sizeBytes);
    if (candidates.length === 0) return [];
    const paths = candidates.map(({ path }) => path);
    const differing = await differingPaths(this.#rsync, staging, paths, signal);
    const same = candidates.filter(({ path }) => !differing.has(path));
    for (const { path, sizeBytes } of same) onProgress?.(path, sizeBytes);
    return same;
  }

  async #entries(names: readonly string[], signal: AbortSignal, ...options: string[]): Promise<ListedEntry[]> {
    const entries: ListedEntry[] = [];
    const onLine = (line: string): void => {
      const entry = parseListedLine(line);
      if (entry !== null) entries.push(entry);
    };
    const end = await this.#rsync.fetch(['--list-only', ...options], './', { names, signal, onLine });
    if (end.code === 0 || isOnlyMissing(end)) return entries;
    throw rsyncFailure(this.#rsync.nameOf(names.filter((name) => !name.endsWith('/'))), 'list it', end);
  }

  #objects(entries: readonly ListedEntry[]): StoredObject[] {
    return entries
      .filter(({ kind, path }) => kind === 'file' && !path.split('/').includes(PARTIAL_DIR))
      .map((entry) => this.#object(entry));
  }

  #object({ path, sizeBytes, mtimeSeconds }: Pick<ListedEntry, 'path' | 'sizeBytes' | 'mtimeSeconds'>): StoredObject {
    this.#times.set(path, mtimeSeconds);
    return { path, sizeBytes, revision: `${sizeBytes}-${mtimeSeconds}` };
  }

  /** None where it is not known what is there: the mode of a directory of others is theirs. */
  #missingDirectories(paths: readonly string[]): string[] {
    const known = this.#directories;
    return known === undefined ? [] : [...new Set(paths.flatMap(parentsOf))].filter((parent) => !known.has(parent));
  }
}

/** Tells of bytes by how many more there are than before. */
class ToldBytes {
  readonly #onBytes: StorageCall['onBytes'];
  readonly #told: (Promise<void> | undefined)[] = [];
  #bytes = 0;

  constructor(onBytes: StorageCall['onBytes']) {
    this.#onBytes = onBytes;
  }

  upTo(doneBytes: number): void {
    if (doneBytes <= this.#bytes) return;
    this.#told.push(this.#onBytes?.(doneBytes - this.#bytes));
    this.#bytes = doneBytes;
  }

  /** @throws what the listener threw */
  async heard(): Promise<void> {
    await Promise.all(this.#told);
  }
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? ['.'] : [...parentsOf(parent), parent];
}

function isDirectory({ kind }: ListedEntry): boolean {
  return kind === 'directory';
}

async function openIfThere(place: string): Promise<FileHandle | null> {
  try {
    return await open(place, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

async function* pieces(file: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    yield* file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 });
  } finally {
    await file.close();
  }
}
