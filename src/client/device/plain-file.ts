import { lstat } from 'node:fs/promises';
import { fromSystemError, isSystemError } from '../../errors.js';
import { type FileIdentity, identityOf } from '../../io/file-identity.js';
import { openPlainFile } from '../../io/plain-file.js';

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
