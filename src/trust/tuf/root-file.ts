import { UpdateRepositoryError } from '../../errors.js';
import { readTextFile } from '../../io/atomic-file.js';
import { MAX_BYTES } from './documents.js';

/** The text of a root that somebody gave; `check` throws for what is none. Throws NOT_FOUND, IO, and what `check` throws. */
export async function readRootFile(path: string, check: (text: string, path: string) => unknown): Promise<string> {
  const text = await readTextFile(path, MAX_BYTES.root);
  if (text === null) {
    throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a root, found no such file`, { data: { path } });
  }
  check(text, path);
  return text;
}
