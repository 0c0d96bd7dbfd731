import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { syncDirectory } from '../../io/atomic-file.js';
import { describeName } from '../../metadata/describe-value.js';
import { classifyImageName } from '../../metadata/image-name.js';
import type { Layout, LayoutLock, PointerName } from './layout.js';

/**
 * The layout of a device of our own: `current` and `previous` are symbolic links to images beside them. Nobody else
 * has a lock on it, and nothing else goes with it.
 */
export function plainLayout(dir: string): Layout {
  return {
    name: 'plain',
    hasHardLinks: false,
    makeRoom: 'old',
    preActivate: null,
    lock: async () => NO_LOCK,
    check: checkSymlinks,
    read: async () => ({ current: await readPointer(dir, 'current'), previous: await readPointer(dir, 'previous') }),
    point: (pointer, fileName) => point(dir, pointer, fileName),
    settle: async () => undefined,
    disabledBy: async () => null,
    booted: async () => null,
    isProtected: async () => false,
    tell: async () => undefined,
  };
}

const NO_LOCK: LayoutLock = { assertHeld: () => undefined, release: async () => undefined };

async function readPointer(dir: string, pointer: PointerName): Promise<string | null> {
  const path = join(dir, pointer);
  try {
    const target = await readlink(path);
    if (classifyImageName(target).kind === 'image') return target;
    throw unfitPointer(path, `a link to ${describeName(target)}`);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    if (isSystemError(error, 'EINVAL')) throw unfitPointer(path, 'something else');
    throw fromSystemError(error, 'read it', path);
  }
}

function unfitPointer(path: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'CONFIG',
    `${path}: expected a symbolic link to an image beside it, found ${found}`,
    {
      data: { path },
      hint: 'move it away, or name another directory',
    },
  );
}

/** A link under another name, renamed: readers find the old one or the new one. */
async function point(dir: string, pointer: PointerName, fileName: string | null): Promise<void> {
  const path = join(dir, pointer);
  const temporaryPath = join(dir, `.${pointer}.tmp`);
  try {
    if (fileName === null) await rm(path, { force: true });
    else {
      await rm(temporaryPath, { force: true });
      await symlink(fileName, temporaryPath);
      await rename(temporaryPath, path);
    }
    await syncDirectory(dir);
  } catch (error) {
    throw fromSystemError(error, 'let it lead to another image', path);
  }
}

async function checkSymlinks(scratchDir: string): Promise<void> {
  const path = join(scratchDir, 'link.tmp');
  try {
    await rm(path, { force: true });
    await symlink('lock', path);
    await rm(path);
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) {
      throw fromSystemError(error, 'make a symbolic link', path);
    }
    throw new UpdateRepositoryError(
      'CONFIG',
      `${scratchDir}: expected a file system with symbolic links, which "current" is made of, found one without`,
      { data: { path: scratchDir }, hint: 'keep the images on another file system (FAT has no links)', cause: error },
    );
  }
}
