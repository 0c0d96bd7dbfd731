import { readTextFile } from '../../../io/atomic-file.js';
import { classifyImageName } from '../../../metadata/image-name.js';

const MAX_BYTES = 4_096;

/**
 * The file name of the booted image, as the file at `path` has it; null when there is none or it is no image's name.
 */
export async function readBootedName(path: string): Promise<string | null> {
  const name = (await readTextFile(path, MAX_BYTES))?.trim() ?? '';
  return classifyImageName(name).kind === 'image' ? name : null;
}
