import { UpdateRepositoryError } from '../errors.js';
import { readTextFile } from '../io/atomic-file.js';
import { MAX_BYTES } from '../trust/tuf/documents.js';
import { parseEnvelope } from '../trust/tuf/parse-document.js';

/** The text of a root that somebody trusts. Throws NOT_FOUND, FORMAT. */
export async function readRootFile(path: string): Promise<string> {
  const text = await readTextFile(path, MAX_BYTES.root);
  if (text === null) {
    throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a root, found no such file`, { data: { path } });
  }
  parseEnvelope('root', text, path);
  return text;
}
