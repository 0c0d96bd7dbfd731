import { UpdateRepositoryError } from '../../errors.js';
import type { PutRequest, Storage, StorageAbilities, StorageCall, StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { listObjects } from './list.js';
import { lookAt, readObject } from './look.js';
import { MemoryBudget } from './memory-budget.js';
import { MAX_BYTES_AT_ONCE, PART_BYTES } from './part-size.js';
import { S3_PRIVATE_PREFIX } from './private-paths.js';
import { heedsConditions } from './probe.js';
import { putAtOnce } from './put.js';
import { putInParts } from './put-in-parts.js';
import { removeObjects } from './remove.js';
import { abandonAllUploads } from './resume.js';

/** What all objects that are being sent may hold of memory together. */
const MEMORY_BYTES = 8 * PART_BYTES;

/**
 * A bucket of an S3 server, or what is below a prefix in it. A revision is an ETag. Holds up to 128 MiB of what it sends.
 */
export class S3Storage implements Storage {
  readonly name: string;
  readonly place: string;
  readonly #bucket: Bucket;
  readonly #budget = new MemoryBudget(MEMORY_BYTES, PART_BYTES);

  #heedsConditions = false;

  /** `server` is where requests go. */
  constructor(bucket: Bucket, server: string) {
    this.#bucket = bucket;
    this.name = bucket.address.name;
    this.place = `${server} ${bucket.address.name}`;
  }

  /** That conditions are heeded is not known before `prepare`. */
  get abilities(): StorageAbilities {
    return { conditionalPut: this.#heedsConditions, atomicPut: true };
  }

  /**
   * Tries each time whether the server heeds conditions: they keep a second publisher out, and what an address leads to may
   * be another server, or another version of it, than the last time.
   */
  async prepare({ signal }: StorageCall): Promise<void> {
    this.#heedsConditions = await heedsConditions(this.#bucket, signal);
  }

  async *list(prefix: string, { signal }: StorageCall): AsyncGenerator<StoredObject> {
    for await (const object of listObjects(this.#bucket, prefix, signal)) {
      if (!object.path.startsWith(S3_PRIVATE_PREFIX)) yield object;
    }
  }

  async stat(path: string, { signal }: StorageCall): Promise<StoredObject | null> {
    return await lookAt(this.#bucket, path, signal);
  }

  async read(path: string, { signal }: StorageCall): Promise<AsyncIterable<Uint8Array> | null> {
    return await readObject(this.#bucket, path, signal);
  }

  /** A condition is for what is small. */
  async put(request: PutRequest, call: StorageCall): Promise<StoredObject | null> {
    if (request.sizeBytes <= MAX_BYTES_AT_ONCE) return await putAtOnce(this.#bucket, request, this.#budget, call);
    if (request.condition === undefined) return await putInParts(this.#bucket, request, this.#budget, call);
    throw new UpdateRepositoryError('STORAGE', `${this.name}/${request.path}: too large to be stored on a condition`, {
      data: { path: request.path, sizeBytes: request.sizeBytes },
    });
  }

  async remove(paths: readonly string[], { signal }: StorageCall): Promise<void> {
    await removeObjects(this.#bucket, paths, signal);
  }

  /** Ends the uploads that a publish which was killed left of objects that nobody wants any more. */
  async tidy({ signal }: StorageCall): Promise<void> {
    await abandonAllUploads(this.#bucket, signal);
  }

  async close(): Promise<void> {
    this.#bucket.close();
  }
}
