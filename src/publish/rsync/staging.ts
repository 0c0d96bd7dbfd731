import { type FileHandle, mkdir, open, rm, stat, symlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import { type FileIdentity, identityOf, isUnwritten } from '../../io/file-identity.js';
import { contentOf } from '../content.js';
import type { PutRequest } from '../storage.js';
import { makeScratch } from './scratch.js';

/** An object whose bytes were found to be right and lie ready under its own path. */
export interface StagedObject {
  readonly request: PutRequest;
  /** The time that the stored object gets. */
  readonly mtimeSeconds: number;
  /** Of a file that rsync reads where it is: as it was before its sha256 was checked. */
  readonly source?: { readonly filePath: string; readonly identity: FileIdentity };
}

/** What is small is copied: then it cannot change any more, and its time is for us to choose. */
const COPIED_BYTES = 1 << 20;

/**
 * A directory of this machine in which each object lies under the path that it is to have: a link to a large file, which
 * rsync follows, and a copy of what is small or was made in memory. Nothing of the user's is renamed or touched.
 */
export class Staging {
  readonly root: string;
  readonly objects: StagedObject[] = [];

  private constructor(root: string) {
    this.root = root;
  }

  /**
   * Checks the sha256 of every request and stages it; `timeOf` says which time a copy gets.
   *
   * @throws UpdateRepositoryError CHANGED_WHILE_READ, INTERRUPTED, NOT_FOUND, NO_SPACE, IO
   */
  static async of(
    requests: readonly PutRequest[],
    timeOf: (path: string) => number,
    signal: AbortSignal,
  ): Promise<Staging> {
    const staging = new Staging(await makeScratch());
    try {
      for (const request of requests) staging.objects.push(await staging.#stage(request, timeOf, signal));
      return staging;
    } catch (error) {
      await staging.remove();
      throw error;
    }
  }

  /** Throws CHANGED_WHILE_READ when a file was written since it was checked. */
  async requireUnchanged(): Promise<void> {
    for (const { source } of this.objects) {
      if (source === undefined) continue;
      const { filePath, identity } = source;
      if (!isUnwritten(identity, await identityOfFile(filePath))) throw changed(filePath);
    }
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  async #stage(request: PutRequest, timeOf: (path: string) => number, signal: AbortSignal): Promise<StagedObject> {
    const { path, content, sizeBytes } = request;
    const place = join(this.root, path);
    if (!place.startsWith(`${this.root}/`)) throw new TypeError(`${path}: not below the root of a storage`);
    await mkdir(dirname(place), { recursive: true });
    if (content.kind === 'bytes' || sizeBytes <= COPIED_BYTES) {
      await copyTo(place, request, signal);
      const mtimeSeconds = timeOf(path);
      await utimes(place, mtimeSeconds, mtimeSeconds);
      return { request, mtimeSeconds };
    }
    const filePath = resolve(content.filePath);
    const identity = await identityOfFile(filePath);
    for await (const _ of contentOf(request, { signal })) signal.throwIfAborted();
    await symlink(filePath, place);
    const mtimeSeconds = Number(BigInt(identity.mtimeNs) / 1_000_000_000n);
    return { request, mtimeSeconds, source: { filePath, identity } };
  }
}

async function copyTo(place: string, request: PutRequest, signal: AbortSignal): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(place, 'wx');
    for await (const piece of contentOf(request, { signal })) await file.writeFile(piece);
  } catch (error) {
    throw fromSystemError(error, 'make a copy to be sent', place);
  } finally {
    await file?.close();
  }
}

async function identityOfFile(path: string): Promise<FileIdentity> {
  try {
    return identityOf(await stat(path, { bigint: true }));
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}

function changed(filePath: string): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'CHANGED_WHILE_READ',
    `${filePath}: expected it to stay as it was checked, found it written while it was sent`,
    { data: { path: filePath }, hint: 'run a build, or `verify`, and publish again' },
  );
}
