import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { contentOf } from '../../../src/publish/content.js';
import type { PutRequest, Storage, StorageAbilities, StorageCall, StoredObject } from '../../../src/publish/storage.js';

interface Kept extends StoredObject {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly cacheControl: string;
}

/** An object store in memory, as S3 is: atomic, with conditional writes, keeping the sha256 that it was given. */
export class MemoryStorage implements Storage {
  readonly name = 'memory://';
  readonly abilities: StorageAbilities;
  readonly objects = new Map<string, Kept>();
  #writes = 0;

  constructor(abilities: Partial<StorageAbilities> = {}) {
    this.abilities = { conditionalPut: true, atomicPut: true, ...abilities };
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (const { path, sizeBytes, revision } of [...this.objects.values()]) {
      if (path.startsWith(prefix)) yield { path, sizeBytes, revision };
    }
  }

  async stat(path: string): Promise<StoredObject | null> {
    const found = this.objects.get(path);
    return found === undefined ? null : described(found);
  }

  async read(path: string): Promise<AsyncIterable<Uint8Array> | null> {
    const found = this.objects.get(path);
    return found === undefined ? null : inPieces(found.bytes);
  }

  async put(request: PutRequest, call: StorageCall): Promise<StoredObject | null> {
    const pieces: Buffer[] = [];
    for await (const piece of contentOf(request, call)) pieces.push(Buffer.from(piece));
    if (call.signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    const { path, sha256, condition, mediaType, cacheControl } = request;
    const before = this.objects.get(path);
    if (condition?.kind === 'absent' && before !== undefined) return null;
    if (condition?.kind === 'revision' && before?.revision !== condition.revision) return null;
    const bytes = Buffer.concat(pieces);
    const revision = `${++this.#writes}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`;
    const kept = { path, sizeBytes: bytes.length, revision, sha256, bytes, mediaType, cacheControl };
    this.objects.set(path, kept);
    return described(kept);
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.objects.delete(path);
  }

  async close(): Promise<void> {
    // It is forgotten with the last one who knows it.
  }
}

function described({ path, sizeBytes, revision, sha256 }: Kept): StoredObject {
  return { path, sizeBytes, revision, ...(sha256 === undefined ? {} : { sha256 }) };
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
}
