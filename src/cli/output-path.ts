import { type Stats, statSync } from 'node:fs';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';

/**
 * Lets a command write the file `path`, if nothing is there or, with `force`, a regular file.
 *
 * @throws UpdateRepositoryError USAGE: a device or a directory is never replaced
 */
export function requireWritable(path: string, force: boolean): void {
  const stats = statsOf(path);
  if (stats === undefined || (stats.isFile() && force)) return;
  const found = stats.isFile() ? 'a file' : stats.isDirectory() ? 'a directory' : 'something that is no regular file';
  const expected = stats.isFile() ? 'nothing there' : 'a file or nothing there';
  throw new UpdateRepositoryError('USAGE', `${path}: expected ${expected}, found ${found}`, {
    data: { path },
    ...(stats.isFile() ? { hint: '--force replaces it' } : {}),
  });
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw fromSystemError(error, 'look at it', path);
  }
}
