import { constants } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromSystemError, hasCode, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { makeDirectory, PUBLIC_FILE_MODE, readTextFile, syncDirectory, writeFileAtomic } from '../../io/atomic-file.js';
import { findNameFault } from '../../metadata/safe-name.js';
import { type DownloadState, MAX_STATE_BYTES, parseDownloadState, renderDownloadState } from './download-state.js';
import type { RemoteFile } from './remote-file.js';
import { areSame, type Validators } from './validators.js';
import { Deliverers } from './wrong-bytes.js';

/** Where the bytes of a file are while it is fetched; beside them `<path>.json` says what they are. */
export function partialPath(directory: string, { path }: Pick<RemoteFile, 'path'>): string {
  const name = basename(path);
  const fault = findNameFault(name);
  if (fault === null) return join(directory, name);
  throw new UpdateRepositoryError('NAME', `${path}: expected the path of a file, found ${fault}`);
}

/**
 * How many bytes of a file are there from earlier; they are proven when the file is complete.
 *
 * @throws UpdateRepositoryError NAME, IO
 */
export async function partialBytes(directory: string, file: RemoteFile): Promise<number> {
  const path = partialPath(directory, file);
  if ((await readState(path, file)) === null) return 0;
  try {
    const { size } = await stat(path);
    return size <= file.sizeBytes ? size : 0;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw fromSystemError(error, 'look at it', path);
  }
}

/** Removes what there is of a file, and what is known of that. */
export async function removePartial(directory: string, file: Pick<RemoteFile, 'path'>): Promise<void> {
  const path = partialPath(directory, file);
  try {
    for (const one of [path, statePath(path), temporaryStatePath(path)]) await rm(one, { force: true });
  } catch (error) {
    throw fromSystemError(error, 'remove it', path);
  }
}

/** A file in the making. What is known of its bytes is on disk before they are. */
export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly handle: FileHandle;
  readonly #file: RemoteFile;
  readonly #sources: Map<string, Validators>;
  readonly #appended = new Deliverers();
  #current = { name: 'nobody', validators: { etag: null, lastModified: null } as Validators };
  #sizeBytes: number;
  #isSaved: boolean;

  private constructor(path: string, handle: FileHandle, file: RemoteFile, sizeBytes: number, state: DownloadState) {
    this.path = path;
    this.handle = handle;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#sources = new Map(state.sources);
    this.#isSaved = sizeBytes > 0;
  }

  /**
   * Opens what there is of `file`; bytes of which it is not known that they are of this file are dropped.
   *
   * @throws UpdateRepositoryError NAME, NO_SPACE, IO
   */
  static async open(directory: string, file: RemoteFile): Promise<PartialFile> {
    const path = partialPath(directory, file);
    await makeDirectory(directory);
    const known = await readState(path, file);
    const handle = await openWithin(path);
    try {
      const { size } = await handle.stat();
      const isKept = known !== null && size <= file.sizeBytes;
      if (!isKept) await handle.truncate(0);
      const state = isKept ? known : { sha256: file.sha256, sizeBytes: file.sizeBytes, sources: new Map() };
      return new PartialFile(path, handle, file, isKept ? size : 0, state);
    } catch (error) {
      await handle.close();
      throw fromSystemError(error, 'open it', path);
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Who delivered bytes, now and in earlier runs. */
  get sources(): ReadonlyMap<string, Validators> {
    return this.#sources;
  }

  /** Who delivered most of the bytes that this run appended; null where it appended none. */
  get mainSource(): string | null {
    return this.#appended.mainSource;
  }

  /** The next bytes are from `name`. */
  from(name: string, validators: Validators): void {
    this.#current = { name, validators };
  }

  /** @throws UpdateRepositoryError NO_SPACE, IO */
  async append(piece: Uint8Array): Promise<void> {
    await this.#saveSource();
    try {
      for (let done = 0; done < piece.length; ) {
        const { bytesWritten } = await this.handle.write(piece, done, piece.length - done, this.#sizeBytes);
        done += bytesWritten;
        this.#sizeBytes += bytesWritten;
      }
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
    this.#appended.delivered(this.#current.name, piece.length);
  }

  /** Waits until all of it is on the disk. */
  async sync(): Promise<void> {
    try {
      await this.handle.sync();
      await syncDirectory(dirname(this.path));
    } catch (error) {
      throw fromSystemError(error, 'write it', this.path);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }

  async #saveSource(): Promise<void> {
    const { name, validators } = this.#current;
    const known = this.#sources.get(name);
    if (this.#isSaved && known !== undefined && areSame(known, validators)) return;
    this.#sources.set(name, validators);
    const { sha256, sizeBytes } = this.#file;
    const text = renderDownloadState({ sha256, sizeBytes, sources: this.#sources });
    await writeFileAtomic(statePath(this.path), text, temporaryStatePath(this.path));
    this.#isSaved = true;
  }
}

function statePath(path: string): string {
  return `${path}.json`;
}

function temporaryStatePath(path: string): string {
  return `${statePath(path)}.tmp`;
}

/** Null where nothing is known, or it is of another file, or it cannot be understood: the bytes are fetched again then. */
async function readState(path: string, { sha256, sizeBytes }: RemoteFile): Promise<DownloadState | null> {
  const fileName = statePath(path);
  try {
    const text = await readTextFile(fileName, MAX_STATE_BYTES);
    const state = text === null ? null : parseDownloadState(text, fileName);
    return state?.sha256 === sha256 && state.sizeBytes === sizeBytes ? state : null;
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return null;
    throw error;
  }
}

/** No link is followed: what is at its end is not ours. */
async function openWithin(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, PUBLIC_FILE_MODE);
  } catch (error) {
    throw fromSystemError(error, 'open it', path);
  }
}
