import { UpdateRepositoryError } from '../../errors.js';
import { readTextFile } from '../../io/atomic-file.js';
import { parsePolicy } from './parse-policy.js';
import type { PolicyChoices } from './policy.js';

const MAX_BYTES = 1 << 20;

/**
 * Reads a policy file.
 *
 * @throws UpdateRepositoryError NOT_FOUND, IO or FORMAT when it cannot be read, CONFIG when it is no policy
 */
export async function readPolicyFile(path: string): Promise<PolicyChoices> {
  const text = await readTextFile(path, MAX_BYTES);
  if (text !== null) return parsePolicy(text, path);
  throw new UpdateRepositoryError('NOT_FOUND', `${path}: expected a policy file, found none`, { data: { path } });
}
