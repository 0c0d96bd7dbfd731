import { readdir } from 'node:fs/promises';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';

/** Throws CONFIG when something is in a directory. One that is not there is empty. */
export async function requireEmptyDirectory(directory: string): Promise<void> {
  const count = await countEntries(directory);
  if (count === 0) return;
  const found = count === 1 ? 'a file in it' : `${count} files in it`;
  throw new UpdateRepositoryError('CONFIG', `${directory}: expected an empty directory, or none, found ${found}`, {
    data: { path: directory },
  });
}

async function countEntries(directory: string): Promise<number> {
  try {
    return (await readdir(directory)).length;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw fromSystemError(error, 'list it', directory);
  }
}
