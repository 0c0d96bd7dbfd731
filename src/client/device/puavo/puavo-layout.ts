import { link, lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../../errors.js';
import { syncDirectory, writeFileQuickly } from '../../../io/atomic-file.js';
import { isSameInode } from '../../../io/file-identity.js';
import { classifyImageName } from '../../../metadata/image-name.js';
import type { Layout, PointerName, Pointers } from '../layout.js';
import { stateOf } from '../plain-file.js';
import { readBootedName } from './booted-image.js';
import { takeFlock } from './flock.js';
import { writeGrubLabels } from './grub-labels.js';
import { RUN_IMAGE_PREINST } from './image-preinst.js';
import { renderStats } from './image-update-stats.js';
import { isManaged } from './managed-images.js';

/** Where a Puavo device says what concerns its images, beside the directory of images. */
export interface PuavoPlaces {
  /** Holds the file name of the image that is booted. */
  readonly bootedName: string;
  /** The images that a bootserver's own client looks after. */
  readonly managedImages: string;
  /** Whether the new image's own installation script is run before it becomes current. */
  readonly runPreinst: boolean;
}

export const PUAVO_PLACES: PuavoPlaces = {
  bootedName: '/etc/puavo-image/name',
  managedImages: '/var/lib/puavo/images.json',
  runPreinst: true,
};

const POINTER_FILES: Readonly<Record<PointerName, string>> = { current: 'ltsp.img', previous: 'ltsp-backup.img' };
const LOCK_FILE = '.image_updates_lock';
const DISABLING_FILE = 'DISABLE_IMAGE_UPDATES';
const STATS_FILE = 'image_update.stats';

/**
 * The layout of Puavo's laptops and bootservers, as their own clients have it: `ltsp.img` and `ltsp-backup.img` are
 * hard links to the current and the previous image. Where one of them has no image's name beside it, that pointer is
 * told of by its own name.
 */
export function puavoLayout(places: PuavoPlaces = PUAVO_PLACES): (dir: string) => Layout {
  return (dir) => ({
    name: 'puavo',
    hasHardLinks: true,
    makeRoom: 'previous',
    preActivate: places.runPreinst ? RUN_IMAGE_PREINST : null,
    lock: () => takeFlock(join(dir, LOCK_FILE)),
    check: checkHardLinks,
    read: () => readPointers(dir),
    point: (pointer, fileName) => point(dir, pointer, fileName),
    settle: (pointers) => writeGrubLabels(dir, pointers),
    disabledBy: () => pathIfThere(join(dir, DISABLING_FILE)),
    booted: () => readBootedName(places.bootedName),
    isProtected: async (fileName) =>
      (await pathIfThere(join(dir, `${fileName}.lock`))) !== null ||
      (await isManaged(join(dir, fileName), places.managedImages)),
    tell: (stage) => {
      const path = join(dir, STATS_FILE);
      return writeFileQuickly(path, renderStats(stage), `${path}.tmp`);
    },
  });
}

async function readPointers(dir: string): Promise<Pointers> {
  const names = await imageNames(dir);
  return {
    current: await readPointer(dir, 'current', names),
    previous: await readPointer(dir, 'previous', names),
  };
}

async function readPointer(dir: string, pointer: PointerName, names: readonly string[]): Promise<string | null> {
  const pointerName = POINTER_FILES[pointer];
  const path = join(dir, pointerName);
  const state = await stateOf(path);
  if (state === null) {
    if ((await pathIfThere(path)) === null) return null;
    throw new UpdateRepositoryError('CONFIG', `${path}: expected a hard link to an image, found no plain file`, {
      data: { path },
    });
  }
  for (const name of names) {
    const image = await stateOf(join(dir, name));
    if (image !== null && isSameInode(image, state)) return name;
  }
  return pointerName;
}

async function imageNames(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => classifyImageName(name).kind === 'image').sort();
  } catch (error) {
    throw fromSystemError(error, 'list it', dir);
  }
}

/** A link under another name, renamed: readers find the old image or the new one. */
async function point(dir: string, pointer: PointerName, fileName: string | null): Promise<void> {
  const path = join(dir, POINTER_FILES[pointer]);
  const temporaryPath = `${path}.tmp`;
  try {
    await rm(temporaryPath, { force: true });
    if (fileName === null) await rm(path, { force: true });
    else {
      await link(join(dir, fileName), temporaryPath);
      await rename(temporaryPath, path);
      // rename(2) leaves both names where they are one file already.
      await rm(temporaryPath, { force: true });
    }
    await syncDirectory(dir);
  } catch (error) {
    throw fromSystemError(error, 'let it lead to another image', path);
  }
}

async function pathIfThere(path: string): Promise<string | null> {
  try {
    await lstat(path);
    return path;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw fromSystemError(error, 'look at it', path);
  }
}

async function checkHardLinks(scratchDir: string): Promise<void> {
  const path = join(scratchDir, 'link.tmp');
  try {
    await rm(path, { force: true });
    await link(join(scratchDir, 'lock'), path);
    await rm(path);
  } catch (error) {
    if (!isSystemError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) {
      throw fromSystemError(error, 'make a hard link', path);
    }
    throw new UpdateRepositoryError(
      'CONFIG',
      `${scratchDir}: expected a file system with hard links, which ltsp.img is, found one without`,
      { data: { path: scratchDir }, hint: 'keep the images on another file system (FAT has no links)', cause: error },
    );
  }
}
