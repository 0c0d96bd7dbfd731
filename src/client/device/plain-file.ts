import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { type FileIdentity, identityOf } from '../../io/file-identity.js';

/**
 * The state of the plain file at `path`, no link followed; null when there is none, or something that is no plain
 * file.
 */
export async function stateOf(path: string): Promise<FileIdentity | null> {
  try {
    const stats = await lstat(path, { bigint: true });
    return stats.isFile() ? identityOf(stats) : null;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'look at it', path);
  }
}

/**
 * Opens a plain file for reading; throws NOT_FOUND, IO, also for a symbolic link, or FORMAT for what is no plain file.
 */
export async function openPlainFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    // A FIFO would keep the caller waiting for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new UpdateRepositoryError('FORMAT', `${path}: expected a plain file, found something else`, { data: { path } });
}

/** Makes the bytes of a plain file durable. */
export async function syncFile(path: string): Promise<void> {
  const file = await openPlainFile(path);
  try {
    await file.sync();
  } catch (error) {
    throw fromSystemError(error, 'write it', path);
  } finally {
    await file.close();
  }
}
