import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromSystemError, hasCode, isSystemError, UpdateRepositoryError } from '../errors.js';
import { utf8Text } from './atomic-file.js';

/**
 * Opens a plain file for reading; throws NOT_FOUND, IO, also for a symbolic link, or FORMAT for what is no plain file.
 */
export async function openPlainFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    // A FIFO would keep the caller waiting for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw isSystemError(error, 'ELOOP')
      ? notPlain(path, 'IO', 'a symbolic link')
      : fromSystemError(error, 'read it', path);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw notPlain(path, 'FORMAT', 'something else');
}

/**
 * Reads a text file of at most `maxBytes`, no link followed and no more read whatever it becomes meanwhile; null when there is
 * none.
 *
 * @throws UpdateRepositoryError FORMAT when it is larger, no UTF-8 or no plain file; IO, also for a symbolic link
 */
export async function readPlainTextFile(path: string, maxBytes: number): Promise<string | null> {
  let file: FileHandle;
  try {
    file = await openPlainFile(path);
  } catch (error) {
    if (hasCode(error, 'NOT_FOUND')) return null;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size > maxBytes) throw tooLong(path, maxBytes, String(size));
    const pieces: Buffer[] = [];
    // Where it ends is included.
    for await (const piece of file.createReadStream({ end: maxBytes, autoClose: false })) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    if (bytes.length > maxBytes) throw tooLong(path, maxBytes, 'more');
    return utf8Text(bytes, path);
  } catch (error) {
    throw fromSystemError(error, 'read it', path);
  } finally {
    await file.close();
  }
}

/**
 * Throws FORMAT where `directory`, a relative path below `root`, or one on the way to it is a symbolic link or something else; what
 * is not there yet is no matter.
 */
export async function requirePlainDirectories(root: string, directory: string): Promise<void> {
  const all: string[] = [];
  for (let at = directory; at !== '.'; at = dirname(at)) all.unshift(join(root, at));
  for (const path of all) await requirePlainDirectory(path);
}

async function requirePlainDirectory(path: string): Promise<void> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return;
    const found = stats.isSymbolicLink() ? 'a symbolic link' : 'something else';
    throw new UpdateRepositoryError('FORMAT', `${path}: expected a directory, found ${found}`, { data: { path } });
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw fromSystemError(error, 'look at it', path);
  }
}

function notPlain(path: string, code: 'IO' | 'FORMAT', found: string): UpdateRepositoryError {
  return new UpdateRepositoryError(code, `${path}: expected a plain file, found ${found}`, { data: { path } });
}

function tooLong(path: string, maxBytes: number, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${path}: expected at most ${maxBytes} bytes, found ${found}`, {
    data: { path, maxBytes },
  });
}
