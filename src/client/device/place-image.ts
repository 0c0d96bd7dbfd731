import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../../errors.js';
import { placeFile, syncDirectory } from '../../io/atomic-file.js';
import { isSameInode } from '../../io/file-identity.js';
import { parseImageName } from '../../metadata/image-name.js';
import type { Device } from './device.js';
import { stateOf, syncFile } from './plain-file.js';
import { compareImage, type PublishedImage } from './survey.js';

/**
 * Sees to it that the directory has the image, whole: moves it there from `partial/`, where its bytes have been
 * compared by who made them, or else compares the one that is there. A file with other bytes that has its name is
 * moved aside. Resolves to whether it was not there.
 *
 * @throws UpdateRepositoryError NAME (no image's name), VERIFICATION, NOT_FOUND, NO_SPACE, IO
 */
export async function placeImage(device: Device, image: PublishedImage): Promise<boolean> {
  const { place, dir } = device;
  const filename = parseImageName(image.filename).fileName;
  const partialPath = place.partialPath(filename);
  const path = join(dir, filename);
  const made = await stateOf(partialPath);
  const there = await compareImage(device, image);
  if (there === null) {
    if (made === null) throw notThere(path, image);
    await checkSize(partialPath, made.sizeBytes, image);
    await setAside(device, filename);
    await syncFile(partialPath);
    await device.assertMayGoOn();
    await placeFile(partialPath, path);
    await recordPlaced(device, image);
  }
  await forgetPartial(device, filename);
  return there === null;
}

async function checkSize(path: string, sizeBytes: number, { size }: PublishedImage): Promise<void> {
  if (size === null || size === sizeBytes) return;
  throw new UpdateRepositoryError('VERIFICATION', `${path}: expected ${size} bytes, found ${sizeBytes}`, {
    data: { path, sizeBytes },
  });
}

/**
 * Gives a file that is in the new image's place another name first. It may be the current one, so there is no instant
 * at which its own name leads nowhere.
 */
async function setAside({ dir, onEvent }: Device, filename: string): Promise<void> {
  const path = join(dir, filename);
  if ((await stateOf(path)) === null) return;
  for (let count = 1; ; count++) {
    const aside = `${filename}.damaged${count === 1 ? '' : `-${count}`}`;
    try {
      await link(path, join(dir, aside));
      const message = 'is not as published: kept under this name, since the published one takes its own';
      onEvent({ type: 'note', level: 'warning', subject: aside, message });
      return;
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw fromSystemError(error, 'move it aside', path);
      if (await isSameFile(path, join(dir, aside))) return;
    }
  }
}

/** As a run has left it that was killed just then. */
async function isSameFile(path: string, other: string): Promise<boolean> {
  const [a, b] = [await stateOf(path), await stateOf(other)];
  return a !== null && b !== null && isSameInode(a, b);
}

async function recordPlaced({ dir, records }: Device, image: PublishedImage): Promise<void> {
  const { filename, series, version, sha256 } = image;
  const state = await stateOf(join(dir, filename));
  if (state === null) throw notThere(join(dir, filename), image);
  await records.change(new Map([[filename, { series, version, sha256, publishedSha256: sha256, state }]]));
}

async function forgetPartial({ place }: Device, filename: string): Promise<void> {
  try {
    await rm(place.partialPath(filename), { force: true });
    await rm(place.partialRecordPath(filename), { force: true });
    await syncDirectory(place.partialDir);
  } catch (error) {
    throw fromSystemError(error, 'remove it', place.partialPath(filename));
  }
}

function notThere(path: string, { sha256 }: PublishedImage): UpdateRepositoryError {
  return new UpdateRepositoryError('NOT_FOUND', `${path}: expected the image with sha256 ${sha256}, found none`, {
    data: { path, sha256 },
  });
}
