import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { makeDirectory, PUBLIC_FILE_MODE, syncDirectory } from '../io/atomic-file.js';
import { acquireLock } from '../io/lock.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { contentOf } from './content.js';
import { isMissing, kindOf, walkFiles } from './file-walk.js';
import { LOCK_PATH } from './lease.js';
import type { PutRequest, Storage, StorageAbilities, StorageCall, StorageLock, StoredObject } from './storage.js';

/** Where objects are while they are written; never listed. */
const TEMPORARY_DIR = join(PRIVATE_DIR, 'tmp');
/** The same in a directory to which no rename leads from there: a link or a mount makes it one of another file system. */
const BESIDE_DIR = '.update-repository-tmp';
/** After which what is in such a directory is in nobody's hands: not all of them need be of this storage. */
const ABANDONED_MS = 24 * 3_600_000;

/**
 * A directory of this machine, or of another one that is mounted here. An object appears by rename when it is complete
 * and on the disk. A revision is inode, size and time of the last change.
 *
 * Links to directories are followed, for listing and for storing, and never replaced; one that leads back to a directory
 * that it is in is not. A link to a file is that file: to replace or to remove the object is to replace or to remove the
 * link.
 */
export class FileStorage implements Storage {
  readonly name: string;
  /** A condition is heeded among those who hold the lock of the storage. */
  readonly abilities: StorageAbilities = { conditionalPut: false, atomicPut: true };
  readonly #root: string;
  /** Directories of other file systems in which objects are, or were, while they are written. */
  readonly #besides = new Set<string>();

  /** `root` is an absolute path; it need not be there. */
  constructor(root: string) {
    this.#root = root;
    this.name = `file://${root}`;
  }

  async *list(prefix: string, { signal }: StorageCall): AsyncGenerator<StoredObject> {
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for await (const path of walkFiles(this.#root, start, (directory) => this.#isTemporary(directory))) {
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
    try {
      await makeDirectory(dirname(place));
      await refuseDirectory(place);
      const directory = await this.#temporaryFor(dirname(place));
      const isPlaced = await this.#writeAndPlace(join(directory, randomBytes(8).toString('hex')), place, request, call);
      if (!isPlaced) {
        call.onRestart?.();
        return await this.put(request, call);
      }
      await syncDirectory(dirname(place));
    } catch (error) {
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

  async tidy(): Promise<void> {
    for (const directory of this.#besides) {
      try {
        await removeAbandoned(directory);
        await this.#removeEmpty(directory);
      } catch (error) {
        throw fromSystemError(error, 'remove it', directory);
      }
    }
  }

  async close(): Promise<void> {
    // There is nothing that stays open.
  }

  /** False where rename does not lead there, as into a mount of the same file system: next time it is written beside. */
  async #writeAndPlace(temporary: string, place: string, request: PutRequest, call: StorageCall): Promise<boolean> {
    try {
      await this.#write(temporary, request, call);
      await rename(temporary, place);
      return true;
    } catch (error) {
      await rm(temporary, { force: true });
      const beside = join(dirname(place), BESIDE_DIR);
      if (!isSystemError(error, 'EXDEV') || this.#besides.has(beside)) throw error;
      this.#besides.add(beside);
      return false;
    }
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

  async #temporaryFor(directory: string): Promise<string> {
    const [own, beside] = [join(this.#root, TEMPORARY_DIR), join(directory, BESIDE_DIR)];
    await makeDirectory(own);
    if ((await stat(own)).dev !== (await stat(directory)).dev) this.#besides.add(beside);
    if (!this.#besides.has(beside)) return own;
    await makeDirectory(beside);
    return beside;
  }

  #isTemporary(path: string): boolean {
    const isBeside = basename(path) === BESIDE_DIR;
    if (isBeside) this.#besides.add(this.#place(path));
    return isBeside || path === TEMPORARY_DIR;
  }

  async #stat(path: string): Promise<StoredObject | null> {
    const place = this.#place(path);
    try {
      const stats = await stat(place, { bigint: true });
      if (!stats.isFile()) return null;
      const { size, ino, mtimeNs } = stats;
      return { path, sizeBytes: Number(size), revision: `${ino}-${size}-${mtimeNs}` };
    } catch (error) {
      if (isMissing(error)) return null;
      throw fromSystemError(error, 'look at it', place);
    }
  }

  async #open(path: string): Promise<FileHandle | null> {
    const place = this.#place(path);
    try {
      return await open(place, 'r');
    } catch (error) {
      if (isMissing(error)) return null;
      throw fromSystemError(error, 'open it', place);
    }
  }

  /** Objects have no directories: one that nothing is in is not there. A link stays, and a mount. */
  async #removeEmpty(directory: string): Promise<void> {
    if (directory === this.#root || !directory.startsWith(this.#root)) return;
    try {
      await rmdir(directory);
    } catch (error) {
      if (isSystemError(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY')) return;
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

/** rename would put a file in the place of a link to a directory. */
async function refuseDirectory(place: string): Promise<void> {
  if ((await kindOf(place)) !== 'directory') return;
  throw new UpdateRepositoryError('STORAGE', `${place}: expected a file or nothing, found a directory`, {
    data: { path: place },
  });
}

async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await namesIn(directory)) {
    const path = join(directory, name);
    if ((await stat(path)).mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
