import { UpdateRepositoryError } from '../../errors.js';
import { readTextFile } from '../../io/atomic-file.js';
import { MAX_BYTES } from '../../trust/tuf/documents.js';

/**
 * Reads a root that somebody gave.
 *
 * @throws UpdateRepositoryError NOT_FOUND, IO; FORMAT or VERIFICATION for what is no root
 */
export async function readGivenRoot(path: string): Promise<string> {
  const root = await readTextFile(path, MAX_BYTES.root);
  if (root === null) {
    throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a root, found no such file`, { data: { path } });
  }
  const { checkRoot } = await import('./roots.js');
  checkRoot(root, path);
  return root;
}
