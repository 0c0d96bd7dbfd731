import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { fromSystemError, isSystemError } from '../errors.js';
import { PUBLIC_FILE_MODE } from './atomic-file.js';
import { readBuffer } from './page-aligned.js';

/** How a file of the image directory gets into the mirror; `auto` takes the first of the others that works. */
export type LinkMode = 'auto' | LinkKind;
export type LinkKind = 'hard' | 'reflink' | 'copy';

const COPY_CHUNK_BYTES = 1 << 20;

/**
 * Makes `destination`, which must not exist, the same bytes as `source` and says how. A copy is fsynced, readable by
 * all, and keeps the source's mtime, so that web servers give all three kinds the same Last-Modified. Synchronous: it
 * belongs in a worker.
 */
export function linkFile(source: string, destination: string, mode: LinkMode): LinkKind {
  const kinds: readonly LinkKind[] = mode === 'auto' ? ['hard', 'reflink', 'copy'] : [mode];
  for (const [index, kind] of kinds.entries()) {
    try {
      // link(2) does not follow symbolic links: a mirror of links into the image directory would not survive a move.
      makeLink[kind](realpathSync(source), destination);
      return kind;
    } catch (error) {
      const last = index === kinds.length - 1;
      if (last || !isUnsupported(error)) throw fromSystemError(error, `${verbs[kind]} ${source} there`, destination);
    }
  }
  throw new RangeError(`no such link mode: ${mode}`);
}

const verbs: Record<LinkKind, string> = { hard: 'hard-link', reflink: 'reflink', copy: 'copy' };

const makeLink: Record<LinkKind, (source: string, destination: string) => void> = {
  hard(source, destination) {
    linkSync(source, destination);
    syncFile(destination);
  },
  reflink(source, destination) {
    try {
      copyFileSync(source, destination, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) rmSync(destination, { force: true });
      throw error;
    }
    finishCopy(source, destination);
  },
  copy: copyWithTimes,
};

function isUnsupported(error: unknown): boolean {
  // EPERM: fs.protected_hardlinks on a file of another user, or a file system without links.
  return isSystemError(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'ENOTTY');
}

function copyWithTimes(source: string, destination: string): void {
  const from = openSync(source, 'r');
  try {
    const to = openSync(destination, 'wx', 0o644);
    try {
      const buffer = readBuffer(COPY_CHUNK_BYTES);
      // No more than there was: a file that grows as fast as it is copied would fill the disk.
      for (let left = fstatSync(from).size; left > 0; ) {
        const length = readSync(from, buffer, 0, Math.min(left, buffer.length), null);
        if (length === 0) break;
        left -= length;
        for (let written = 0; written < length; ) written += writeSync(to, buffer, written, length - written);
      }
    } catch (error) {
      rmSync(destination, { force: true });
      throw error;
    } finally {
      closeSync(to);
    }
  } finally {
    closeSync(from);
  }
  finishCopy(source, destination);
}

/** Whatever the umask and the source's own mode say, a copy is there to be served. */
function finishCopy(source: string, destination: string): void {
  const { atimeMs, mtimeMs } = statSync(source);
  chmodSync(destination, PUBLIC_FILE_MODE);
  utimesSync(destination, atimeMs / 1000, mtimeMs / 1000);
  syncFile(destination);
}

/** An image may have been written a second ago; the indexes that will name it are durable. */
function syncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
