import fs from 'node:fs';
import { dirname } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';

/** How a complete file gets its name. */
export interface PlaceOptions {
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  /** Whether the name is on the disk before that returns. */
  readonly sync: boolean;
}

/** Where the file that a user calls `path` lies: what a symbolic link leads to is replaced, not the link. */
export function placeOf(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return path;
    throw fromSystemError(error, 'examine it', path);
  }
}

/**
 * Gives the complete file `temporaryPath` the name that {@link placeOf} found for `path`, without `force` only when nothing
 * has got that name meanwhile.
 *
 * @throws UpdateRepositoryError IO: also when something is there, without `force`; NOT_FOUND, NO_SPACE
 */
export function placeOutput(temporaryPath: string, path: string, { force, sync }: PlaceOptions): void {
  const place = placeOf(path);
  try {
    if (force) fs.renameSync(temporaryPath, place);
    else placeNew(temporaryPath, place, path);
    if (sync) syncDirectory(dirname(place));
  } catch (error) {
    throw fromSystemError(error, 'put it in place', path);
  }
}

/** What a command that may not replace `path` says when something is there. */
export function alreadyThere(path: string): UpdateRepositoryError {
  return new UpdateRepositoryError('IO', `${path}: expected no such file, found one`, {
    data: { path },
    hint: 'choose another name, or replace it with --force',
  });
}

function placeNew(temporaryPath: string, place: string, name: string): void {
  try {
    fs.linkSync(temporaryPath, place);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) throw alreadyThere(name);
    // Some file systems have no hard links; there the names are compared, which is all that can be done.
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
    if (fs.lstatSync(place, { throwIfNoEntry: false }) !== undefined) throw alreadyThere(name);
    fs.renameSync(temporaryPath, place);
    return;
  }
  fs.unlinkSync(temporaryPath);
}

/** Makes the names in a directory durable. */
function syncDirectory(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some network file systems have no fsync for directories; their rename is as durable as it gets.
    if (!isSystemError(error, 'EINVAL', 'ENOTSUP')) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
