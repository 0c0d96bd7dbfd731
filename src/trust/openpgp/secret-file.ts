import { randomUUID } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { syncDirectory } from '../../io/atomic-file.js';

/** For its owner alone, whatever the umask. */
const SECRET_FILE_MODE = 0o600;

/**
 * Writes a new file for its owner alone: it appears complete and on the disk, or not at all, and never in the place of
 * another one.
 *
 * @throws UpdateRepositoryError CONFIG when there is a file of that name; IO, NOT_FOUND, NO_SPACE
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const directory = dirname(path);
  const temporaryPath = join(directory, `.${basename(path)}.${randomUUID()}`);
  try {
    await writeAndSync(temporaryPath, text);
    // A rename would take the place of another file.
    await link(temporaryPath, path);
    await rm(temporaryPath);
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    if (!isSystemError(error, 'EEXIST')) throw fromSystemError(error, 'write the secret key', path);
    throw new UpdateRepositoryError('CONFIG', `${path}: expected a new file for the secret key, found one`, {
      data: { path },
      hint: 'a secret key is never overwritten: choose another name, or move the file away',
    });
  }
}

async function writeAndSync(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', SECRET_FILE_MODE);
  try {
    await file.chmod(SECRET_FILE_MODE);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
