import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';

/** Public files are for a web server that runs as another user, whatever the umask of the one who builds. */
export const PUBLIC_FILE_MODE = 0o644;
const PUBLIC_DIRECTORY_MODE = 0o755;

/**
 * Writes a whole file: into `temporaryPath` (on the same file system), fsync, rename, fsync of the directory. A reader
 * sees the old bytes or the new ones; a failure leaves the old file and no temporary one.
 */
export async function writeFileAtomic(path: string, bytes: string | Uint8Array, temporaryPath: string): Promise<void> {
  await cleaningUp(path, temporaryPath, async () => {
    await writeTemporary(temporaryPath, bytes, { sync: true });
    await placeFile(temporaryPath, path);
  });
}

/** A file to be written as a whole, by way of a temporary one on the same file system. */
export interface WholeFile {
  readonly path: string;
  readonly bytes: string | Uint8Array;
  readonly temporaryPath: string;
}

/**
 * As {@link writeFileAtomic}, of files that belong together: all of them are on the disk before the first gets its name, and
 * the others get theirs right after it, in their order. A failure before that leaves the old files.
 */
export async function writeFilesTogether(files: readonly WholeFile[]): Promise<void> {
  try {
    for (const { temporaryPath, bytes } of files) await writeTemporary(temporaryPath, bytes, { sync: true });
    for (const { temporaryPath, path } of files) await rename(temporaryPath, path);
    for (const directory of new Set(files.map(({ path }) => dirname(path)))) await syncDirectory(directory);
  } catch (error) {
    for (const { temporaryPath } of files) await rm(temporaryPath, { force: true });
    throw fromSystemError(error, 'write it', files[0]?.path ?? '');
  }
}

/**
 * As {@link writeFileAtomic}, but without waiting for the disk: after a power failure the file may be the old one, the
 * new one, or damaged. For what can be learnt again.
 */
export async function writeFileQuickly(path: string, bytes: string, temporaryPath: string): Promise<void> {
  await cleaningUp(path, temporaryPath, async () => {
    await writeTemporary(temporaryPath, bytes, { sync: false });
    await rename(temporaryPath, path);
  });
}

async function writeTemporary(path: string, bytes: string | Uint8Array, { sync }: { sync: boolean }): Promise<void> {
  const file = await open(path, 'w', PUBLIC_FILE_MODE);
  try {
    await file.writeFile(bytes);
    await file.chmod(PUBLIC_FILE_MODE);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

async function cleaningUp(path: string, temporaryPath: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw fromSystemError(error, 'write it', path);
  }
}

/** Renames a complete, fsynced file to its final name and makes the name durable. */
export async function placeFile(temporaryPath: string, path: string): Promise<void> {
  try {
    await rename(temporaryPath, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    throw fromSystemError(error, 'put it in place', path);
  }
}

/** Makes a directory that a web server can enter, and its parents; nothing happens to one that is there. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined) return;
    for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) await openToAll(made);
  } catch (error) {
    throw fromSystemError(error, 'make the directory', path);
  }
}

/** mkdir heeds the umask; other bits, such as an inherited setgid, stay. */
async function openToAll(directory: string): Promise<void> {
  const { mode } = await stat(directory);
  if ((mode & PUBLIC_DIRECTORY_MODE) !== PUBLIC_DIRECTORY_MODE) {
    await chmod(directory, (mode & 0o7777) | PUBLIC_DIRECTORY_MODE);
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems have no fsync for directories; their rename is as durable as it gets.
    if (!isSystemError(error, 'EINVAL', 'ENOTSUP')) throw error;
  } finally {
    await directory.close();
  }
}

/**
 * Reads a text file of at most `maxBytes`; null when there is none.
 *
 * @throws UpdateRepositoryError FORMAT when it is larger or no UTF-8, IO when it cannot be read.
 */
export async function readTextFile(path: string, maxBytes: number): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      throw new UpdateRepositoryError('FORMAT', `${path}: expected at most ${maxBytes} bytes, found ${size}`, {
        data: { path, maxBytes, sizeBytes: size },
      });
    }
    return utf8Text(await readFile(path), path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'read it', path);
  }
}

/** The text of a file; throws FORMAT where it is no UTF-8. */
export function utf8Text(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new UpdateRepositoryError('FORMAT', `${path}: expected UTF-8 text, found other bytes`, { data: { path } });
    }
    throw error;
  }
}
