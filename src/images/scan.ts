import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import type { NoteEvent } from '../events.js';
import { type FileIdentity, identityOf } from '../io/file-identity.js';
import { classifyImageName, type ImageName } from '../metadata/image-name.js';

/** An image file of the image directory, as it is now. */
export interface ScannedImage {
  readonly name: ImageName;
  readonly path: string;
  readonly identity: FileIdentity;
  /** Permission bits; symbolic links are followed. */
  readonly mode: number;
}

export interface ScannedImages {
  /** By file name, in name order. */
  readonly images: ReadonlyMap<string, ScannedImage>;
  /** What is in the directory and is no image, each with the reason. */
  readonly notes: readonly NoteEvent[];
}

const ANY_EXECUTE_BIT = 0o111;
const WORLD_READABLE = 0o004;

/**
 * Lists the images of a directory, not recursively. Directories are passed over without a word (the mirror is one of
 * them by default). With `executableOnly` the execute bit is the publish flag of the old wrapper's `-c`.
 *
 * @throws UpdateRepositoryError NAME for a name that would be an image's but breaks the grammar, NOT_FOUND or IO.
 */
export async function scanImages(directory: string, options: { executableOnly: boolean }): Promise<ScannedImages> {
  const images = new Map<string, ScannedImage>();
  const notes: NoteEvent[] = [];
  for (const fileName of await listDirectory(directory)) {
    const path = join(directory, fileName);
    const stats = await statFile(path);
    if (stats === 'directory') continue;
    const classified = classifyImageName(fileName);
    if (classified.kind === 'refused') throw refusedName(path, classified.reason);
    const reason = reasonToSkip(classified, stats, options.executableOnly);
    if (reason !== null) {
      notes.push({ type: 'note', level: 'info', subject: fileName, message: `left alone: ${reason}` });
    } else if (classified.kind === 'image' && stats !== 'other') {
      const { name } = classified;
      images.set(fileName, { name, path, identity: identityOf(stats), mode: Number(stats.mode) & 0o7777 });
    }
  }
  return { images, notes };
}

/** A warning for images that a web server running as another user could not read. */
export function unreadableNotes(images: Iterable<ScannedImage>): NoteEvent[] {
  return [...images]
    .filter(({ mode }) => (mode & WORLD_READABLE) === 0)
    .map(({ name, mode }) => ({
      type: 'note',
      level: 'warning',
      subject: name.fileName,
      message: `mode ${mode.toString(8)}: a web server of another user cannot read it (chmod o+r)`,
    }));
}

async function listDirectory(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    throw fromSystemError(error, 'list the images', directory);
  }
}

async function statFile(path: string): Promise<BigIntStats | 'directory' | 'other'> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return 'directory';
    return stats.isFile() ? stats : 'other';
  } catch (error) {
    // A dangling link, or a file that went between the listing and now.
    if (isSystemError(error, 'ENOENT', 'ELOOP')) return 'other';
    throw fromSystemError(error, 'look at it', path);
  }
}

function reasonToSkip(
  classified: ReturnType<typeof classifyImageName>,
  stats: BigIntStats | 'other',
  executableOnly: boolean,
): string | null {
  if (classified.kind !== 'image') return classified.reason;
  if (stats === 'other') return 'not a regular file';
  if (executableOnly && (Number(stats.mode) & ANY_EXECUTE_BIT) === 0) return 'no execute bit, which -c asks for';
  return null;
}

function refusedName(path: string, reason: string): UpdateRepositoryError {
  return new UpdateRepositoryError('NAME', `${JSON.stringify(path)}: ${reason}`, {
    data: { path },
    hint: 'rename it, or move it out of the image directory',
  });
}
