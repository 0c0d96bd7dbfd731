import { type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';

/**
 * Lets a command write the file `path`, if nothing is there or, with `force`, a regular file: said before the work, not
 * after it.
 *
 * @throws UpdateRepositoryError USAGE: a device or a directory is never replaced; NOT_FOUND: nor is a directory made
 */
export function requireWritable(path: string, force: boolean): void {
  const stats = statsOf(path);
  if (stats === undefined) {
    requireDirectory(path);
    return;
  }
  if (stats.isFile() && force) return;
  if (stats.isFile()) {
    throw new UpdateRepositoryError('USAGE', `${path}: expected no such file, found one`, {
      data: { path },
      hint: 'choose another name, or replace it with --force',
    });
  }
  const found = stats.isDirectory() ? 'a directory' : 'something else';
  throw new UpdateRepositoryError('USAGE', `${path}: expected no such file or a regular one, found ${found}`, {
    data: { path },
  });
}

function requireDirectory(path: string): void {
  if (statsOf(dirname(path))?.isDirectory() === true) return;
  throw new UpdateRepositoryError('NOT_FOUND', `${path}: cannot create it: there is no such directory`, {
    data: { path },
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
