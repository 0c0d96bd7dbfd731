import { createHash } from 'node:crypto';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink, JobKind } from '../events.js';
import type { RateLimit } from '../net/rate-limit.js';
import { ManyJobs } from './many-jobs.js';
import { cacheRule, type ReleaseObject } from './release.js';
import type { PublishedFile } from './remote-state.js';
import { StepProgress } from './step-progress.js';
import type { ManyCall, Storage, StorageCall, StoredObject } from './storage.js';

interface TransferOptions {
  readonly storage: Storage;
  readonly transfers: number;
  readonly verifyFull: boolean;
  /** What all transfers together may move. */
  readonly limit: RateLimit | null;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** Objects that are there, by whether they have the right bytes. */
export interface Checked {
  readonly right: readonly PublishedFile[];
  readonly wrong: readonly ReleaseObject[];
}

/** Moves many objects at once, and tells of each as a job. */
export class Transfers {
  readonly #options: TransferOptions;
  #jobCount = 0;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Stores immutable objects, large ones first, and finds each to be right. */
  async putAll(objects: readonly ReleaseObject[]): Promise<PublishedFile[]> {
    if (this.#options.storage.putMany !== undefined) return await this.#putMany(objects, 'immutable');
    // With a read-back all bytes are moved twice.
    const steps = this.#options.verifyFull ? 2 : 1;
    return await this.#all(objects, (object, signal) =>
      this.#asJob(object, { kind: 'upload', steps }, signal, (call) => this.#put(object, cacheRule('immutable'), call)),
    );
  }

  /** The same for what is small and may change, or is read by nobody but this program. */
  async putIndexes(objects: readonly ReleaseObject[]): Promise<PublishedFile[]> {
    if (this.#options.storage.putMany !== undefined) return await this.#putMany(objects, 'index');
    const { limit } = this.#options;
    return await this.#all(objects, (object, signal) =>
      this.#put(object, cacheRule('index'), { signal, ...this.#rate, onBytes: (count) => limit?.take(count, signal) }),
    );
  }

  /** Finds out which of the objects that are there, all of the right size, have the right bytes. */
  async checkAll(objects: readonly ReleaseObject[]): Promise<Checked> {
    const { storage, verifyFull } = this.#options;
    if (storage.same !== undefined && !verifyFull) return await this.#compareAll(objects);
    const wrong: ReleaseObject[] = [];
    const check = async (object: ReleaseObject, call: StepCall): Promise<PublishedFile | null> => {
      const found = await storage.stat(object.path, call);
      const isRight = !verifyFull && found?.sha256 === object.sha256;
      if (found !== null && (isRight || (await this.#hasBytes(object, call)))) return published(object, found);
      wrong.push(object);
      return null;
    };
    const right = await this.#all(objects, (object, signal) =>
      this.#asJob(object, { kind: 'check-object', steps: 1 }, signal, (call) => check(object, call)),
    );
    return { right: right.filter((file) => file !== null), wrong };
  }

  /** By the storage's own way of storing many. Each is a job where it is immutable, though one process sends them all. */
  async #putMany(objects: readonly ReleaseObject[], kind: 'immutable' | 'index'): Promise<PublishedFile[]> {
    const { storage, verifyFull, signal } = this.#options;
    const requests = objects.map((object) => ({ ...object, cacheControl: cacheRule(kind) }));
    const put = async (call: ManyCall) => (await storage.putMany?.(requests, call)) ?? [];
    const stored = await (kind === 'index' ? put({ signal, ...this.#rate }) : this.#asJobs(objects, 'upload', put));
    if (verifyFull && kind === 'immutable') return await this.#requireRight(objects);
    if (verifyFull) for (const object of objects) await this.#readBack(object, { signal, ...this.#rate });
    return publishedAmong(stored, storage, objects);
  }

  /** By the storage's own comparison, where nothing has to be fetched for it. */
  async #compareAll(objects: readonly ReleaseObject[]): Promise<Checked> {
    const { storage } = this.#options;
    const requests = objects.map((object) => ({ ...object, cacheControl: cacheRule('immutable') }));
    return await this.#asJobs(objects, 'check-object', async (call) => {
      const same = new Map(((await storage.same?.(requests, call)) ?? []).map((stored) => [stored.path, stored]));
      const right = objects.flatMap((object) => {
        const stored = same.get(object.path);
        return stored === undefined ? [] : [published(object, stored)];
      });
      return { right, wrong: objects.filter(({ path }) => !same.has(path)) };
    });
  }

  async #requireRight(objects: readonly ReleaseObject[]): Promise<PublishedFile[]> {
    const { right, wrong: others } = await this.checkAll(objects);
    const [first] = others;
    if (first === undefined) return [...right];
    throw wrong(this.#options.storage, first, `sha256 ${first.sha256}`, 'other bytes');
  }

  async #asJobs<T>(objects: readonly ReleaseObject[], kind: JobKind, work: (call: ManyCall) => Promise<T>): Promise<T> {
    const { signal, onEvent, storage } = this.#options;
    const jobs = new ManyJobs(objects, kind, { onEvent, detail: storage.name, nextJob: () => ++this.#jobCount });
    try {
      const result = await work({
        signal,
        ...this.#rate,
        onProgress: (path, doneBytes) => jobs.progress(path, doneBytes),
      });
      jobs.finish();
      return result;
    } catch (cause) {
      const error = fromSystemError(cause, 'store them', storage.name);
      if (error instanceof UpdateRepositoryError && !signal.aborted) jobs.fail(error);
      throw error;
    }
  }

  get #rate(): Pick<StorageCall, 'bytesPerSecond' | 'pieceBytes'> {
    const { limit } = this.#options;
    return limit === null ? {} : { bytesPerSecond: limit.bytesPerSecond, pieceBytes: limit.pieceBytes };
  }

  async #put(object: ReleaseObject, cacheControl: string, call: StepCall): Promise<PublishedFile> {
    const { storage, verifyFull } = this.#options;
    const stored = await storage.put({ ...object, cacheControl }, call);
    if (stored === null) throw wrong(storage, object, 'it to be stored', 'a condition that nobody had set');
    requireSize(storage, object, stored);
    call.onStepEnd?.();
    if (verifyFull) await this.#readBack(object, call);
    return published(object, stored);
  }

  async #readBack(object: ReleaseObject, call: StorageCall): Promise<void> {
    if (await this.#hasBytes(object, call)) return;
    throw wrong(this.#options.storage, object, `sha256 ${object.sha256}`, 'other bytes, or none');
  }

  async #hasBytes({ path, sha256 }: ReleaseObject, call: StorageCall): Promise<boolean> {
    const digest = createHash('sha256');
    const { storage } = this.#options;
    const pieces = await storage.read(path, call);
    if (pieces === null) return false;
    for await (const piece of pieces) {
      digest.update(piece);
      if (storage.readsAhead !== true) await call.onBytes?.(piece.length);
    }
    return digest.digest('hex') === sha256;
  }

  /** What `work` does of each; the first failure is thrown once all others have stopped. */
  async #all<T>(
    objects: readonly ReleaseObject[],
    work: (object: ReleaseObject, signal: AbortSignal) => Promise<T>,
  ): Promise<T[]> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    const results: T[] = [];
    // Large ones first: a small one at the end leaves fewer connections idle.
    const waiting = [...objects].sort((a, b) => a.sizeBytes - b.sizeBytes);
    let failure: unknown;
    const workOff = async (): Promise<void> => {
      for (let object = waiting.pop(); object !== undefined && !signal.aborted; object = waiting.pop()) {
        try {
          results.push(await work(object, signal));
        } catch (error) {
          failure ??= error;
          stop.abort();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.transfers, objects.length) }, workOff));
    if (this.#options.signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    if (failure !== undefined) throw failure;
    return results;
  }

  async #asJob<T>(
    { path, sizeBytes }: ReleaseObject,
    { kind, steps }: { readonly kind: JobKind; readonly steps: number },
    signal: AbortSignal,
    work: (call: StepCall) => Promise<T>,
  ): Promise<T> {
    const { onEvent, storage, limit } = this.#options;
    const job = ++this.#jobCount;
    const startedAt = performance.now();
    const progress = new StepProgress(sizeBytes, steps);
    let toldBytes = 0;
    const tell = () => {
      toldBytes = progress.doneBytes;
      onEvent({ type: 'job-progress', job, doneBytes: toldBytes });
    };
    const onBytes = async (count: number) => {
      progress.add(count);
      tell();
      if (storage.readsAhead !== true) await limit?.take(count, signal);
    };
    const onStepEnd = () => progress.endStep();
    onEvent({ type: 'job-started', job, kind, path, totalBytes: progress.totalBytes });
    try {
      const file = await work({ signal, ...this.#rate, onBytes, onRestart: () => progress.restart(), onStepEnd });
      while (progress.doneBytes < progress.totalBytes) progress.endStep();
      // Also where not all bytes had to be moved.
      if (toldBytes < progress.totalBytes) tell();
      const durationMs = Math.round(performance.now() - startedAt);
      onEvent({ type: 'job-finished', job, kind, path, sizeBytes, durationMs, detail: storage.name });
      return file;
    } catch (cause) {
      const error = fromSystemError(cause, 'store it', path);
      if (error instanceof UpdateRepositoryError && !signal.aborted) {
        onEvent({ type: 'job-failed', job, kind, path, error: error.toJSON(), fatal: true });
      }
      throw error;
    }
  }
}

/** A call of a job, which also hears of each step that has ended. */
interface StepCall extends StorageCall {
  readonly onStepEnd?: () => void;
}

function published({ path, sizeBytes, sha256 }: ReleaseObject, { revision }: StoredObject): PublishedFile {
  return { path, size: sizeBytes, sha256, revision };
}

function publishedAmong(
  found: readonly StoredObject[],
  storage: Storage,
  objects: readonly ReleaseObject[],
): PublishedFile[] {
  const byPath = new Map(found.map((stored) => [stored.path, stored]));
  return objects.map((object) => {
    const stored = byPath.get(object.path);
    if (stored === undefined) throw wrong(storage, object, `sha256 ${object.sha256}`, 'other bytes, or none');
    requireSize(storage, object, stored);
    return published(object, stored);
  });
}

function requireSize(storage: Storage, object: ReleaseObject, found: StoredObject): void {
  if (found.sizeBytes === object.sizeBytes) return;
  throw wrong(storage, object, `${object.sizeBytes} bytes`, `${found.sizeBytes}`);
}

function wrong(storage: Storage, { path }: ReleaseObject, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('VERIFICATION', `${storage.name}/${path}: expected ${expected}, found ${found}`, {
    data: { storage: storage.name, path, expected, found },
  });
}
