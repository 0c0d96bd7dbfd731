import { readRootFile } from '../../trust/tuf/root-file.js';

/**
 * Reads a root that somebody gave, and has tuf-js look at it.
 *
 * @throws UpdateRepositoryError NOT_FOUND, IO; FORMAT or VERIFICATION for what is no root
 */
export async function readGivenRoot(path: string): Promise<string> {
  const { checkRoot } = await import('./roots.js');
  return await readRootFile(path, checkRoot);
}
