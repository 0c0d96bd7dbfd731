import { readdir } from 'node:fs/promises';
import { fromSystemError } from '../../errors.js';
import { classifyImageName } from '../../metadata/image-name.js';

/**
 * The names in a directory that are those of images, oldest first within a series.
 *
 * @throws UpdateRepositoryError NOT_FOUND or IO
 */
export async function listImageNames(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter((name) => classifyImageName(name).kind === 'image').sort();
  } catch (error) {
    throw fromSystemError(error, 'list it', dir);
  }
}
