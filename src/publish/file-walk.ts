import type { Dirent, Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError } from '../errors.js';

/**
 * The paths of all files below `root` whose path starts with `start`, which ends with a slash or is empty. Links are
 * followed, but none that leads back to a directory that it is in; what leads nowhere is not there.
 *
 * @param isSkipped is asked of each directory, without a slash at the end
 * @throws UpdateRepositoryError IO for a directory that cannot be read
 */
export async function* walkFiles(
  root: string,
  start: string,
  isSkipped: (directory: string) => boolean,
): AsyncGenerator<string> {
  yield* walk(root, start, isSkipped, []);
}

/** What is at a path, at the end of all links. */
export type FileKind = 'file' | 'directory' | null;

/** Null also for what this user may not look at: that is of others. */
export async function kindOf(place: string): Promise<FileKind> {
  try {
    return kindAs(await stat(place));
  } catch (error) {
    if (isMissing(error) || isSystemError(error, 'EACCES')) return null;
    throw fromSystemError(error, 'look at it', place);
  }
}

/** Whether a failed system call says that there is nothing. */
export function isMissing(error: unknown): boolean {
  return isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP');
}

/** `above` are the directories that this one is in. */
async function* walk(
  root: string,
  directory: string,
  isSkipped: (directory: string) => boolean,
  above: readonly string[],
): AsyncGenerator<string> {
  const found = await readDirectory(join(root, directory));
  if (found === null || above.includes(found.id)) return;
  for (const entry of found.entries) {
    const path = directory + entry.name;
    const kind = entry.isSymbolicLink() ? await kindOf(join(root, path)) : kindAs(entry);
    if (kind === 'file') yield path;
    else if (kind === 'directory' && !isSkipped(path)) yield* walk(root, `${path}/`, isSkipped, [...above, found.id]);
  }
}

/** Its entries, and what is the same whatever path leads to it; null where there is none. */
async function readDirectory(place: string): Promise<{ readonly id: string; readonly entries: Dirent[] } | null> {
  try {
    const { dev, ino } = await stat(place, { bigint: true });
    return { id: `${dev} ${ino}`, entries: await readdir(place, { withFileTypes: true }) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw fromSystemError(error, 'list it', place);
  }
}

function kindAs(entry: Dirent | Stats): FileKind {
  if (entry.isFile()) return 'file';
  return entry.isDirectory() ? 'directory' : null;
}
