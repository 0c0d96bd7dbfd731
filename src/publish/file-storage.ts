import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { makeDirectory, PUBLIC_FILE_MODE, syncDirectory } from '../io/atomic-file.js';
import { acquireLock } from '../io/lock.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { contentOf } from './content.js';
import { LOCK_PATH } from './lease.js';
import type { PutRequest, Storage, StorageAbilities, StorageCall, StorageLock, StoredObject } from './storage.js';

/** Where objects are while they are written; never listed. */
const TEMPORARY_DIR = join(PRIVATE_DIR, 'tmp');

/**
 * A directory of this machine, or of another one that is mounted here. An object appears by rename when it is complete
 * and on the disk. A revision is inode, size and time of the last change.
 */
export class FileStorage implements Storage {
  readonly name: string;
  /** A condition is heeded among those who hold the lock of the storage. */
  readonly abilities: StorageAbilities = { conditionalPut: false, atomicPut: true };
  readonly #root: string;

  /** `root` is an absolute path; it need not be there. */
  constructor(root: string) {
    this.#root = root;
    this.name = `file://${root}`;
  }

  async *list(prefix: string, { signal }: StorageCall): AsyncGenerator<StoredObject> {
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for await (const path of this.#walk(start)) {
      if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
      if (!path.startsWith(prefix)) continue;
      const object = await this.#stat(path);
      if (object !== null) yield object;
    }
  }

  async stat(path: string): Promise<StoredObject | null> {
    return await this.#stat(path);
  }

  async read(path: string): Promise<AsyncIterable<Uint8Array> | null> {
    const file = await this.#open(path);
    return file === null ? null : pieces(file, `${this.name}/${path}`);
  }

  async put(request: PutRequest, call: StorageCall): Promise<StoredObject> {
    const place = this.#place(request.path);
    const temporary = join(this.#root, TEMPORARY_DIR, randomBytes(8).toString('hex'));
    try {
      await makeDirectory(dirname(temporary));
      await makeDirectory(dirname(place));
      await this.#write(temporary, request, call);
      await rename(temporary, place);
      await syncDirectory(dirname(place));
    } catch (error) {
      await rm(temporary, { force: true });
      throw fromSystemError(error, 'store it', place);
    }
    const stored = await this.#stat(request.path);
    if (stored !== null) return stored;
    throw new UpdateRepositoryError('STORAGE', `${place}: expected what was stored just now, found nothing`, {
      data: { path: place },
    });
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const place = this.#place(path);
      try {
        await rm(place, { force: true });
        await this.#removeEmpty(dirname(place));
      } catch (error) {
        throw fromSystemError(error, 'remove it', place);
      }
    }
  }

  /** By process where it can be seen, so that the lock of a killed publish is free at once. */
  readonly lock = async (): Promise<StorageLock> => {
    const path = this.#place(LOCK_PATH);
    await makeDirectory(dirname(path));
    const lock = await acquireLock(path, { breakLock: false });
    await rm(join(this.#root, TEMPORARY_DIR), { recursive: true, force: true });
    return lock;
  };

  async close(): Promise<void> {
    // There is nothing that stays open.
  }

  async #write(temporary: string, request: PutRequest, call: StorageCall): Promise<void> {
    const file = await open(temporary, 'wx', PUBLIC_FILE_MODE);
    try {
      for await (const piece of contentOf(request, call)) await file.writeFile(piece);
      await file.chmod(PUBLIC_FILE_MODE);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async *#walk(directory: string): AsyncGenerator<string> {
    for (const entry of await this.#entries(directory)) {
      const path = directory + entry.name;
      if (entry.isFile()) yield path;
      else if (entry.isDirectory() && path !== TEMPORARY_DIR) yield* this.#walk(`${path}/`);
    }
  }

  async #entries(directory: string): Promise<Dirent[]> {
    const place = this.#place(directory);
    try {
      return await readdir(place, { withFileTypes: true });
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return [];
      throw fromSystemError(error, 'list it', place);
    }
  }

  async #stat(path: string): Promise<StoredObject | null> {
    const place = this.#place(path);
    try {
      const { size, ino, mtimeNs } = await stat(place, { bigint: true });
      return { path, sizeBytes: Number(size), revision: `${ino}-${size}-${mtimeNs}` };
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
      throw fromSystemError(error, 'look at it', place);
    }
  }

  async #open(path: string): Promise<FileHandle | null> {
    const place = this.#place(path);
    try {
      return await open(place, 'r');
    } catch (error) {
      if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return null;
      throw fromSystemError(error, 'open it', place);
    }
  }

  /** Objects have no directories: one that nothing is in is not there. */
  async #removeEmpty(directory: string): Promise<void> {
    if (directory === this.#root || !directory.startsWith(this.#root)) return;
    try {
      await rmdir(directory);
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) return;
      throw error;
    }
    await this.#removeEmpty(dirname(directory));
  }

  #place(path: string): string {
    return join(this.#root, path);
  }
}

async function* pieces(file: FileHandle, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 });
  } catch (error) {
    throw fromSystemError(error, 'read it', name);
  } finally {
    await file.close();
  }
}
