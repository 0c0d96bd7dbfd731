import { join } from 'node:path';
import { writeFileAtomic } from '../../io/atomic-file.js';
import { requireEmptyDirectory } from '../../io/empty-directory.js';
import { renderDrafts } from './drafts.js';
import { copyKeyFile, savePublicKey } from './key-directory.js';
import type { KeyRing } from './key-ring.js';
import type { KeyRole } from './role-names.js';

/**
 * Copies a directory of keys: of those that are for these roles alone the private half, still encrypted by the same
 * passphrase, and of all others the public one; with the first root and targets. Throws CONFIG when `target` is not empty.
 */
export async function exportKeys(ring: KeyRing, target: string, privateRoles: readonly KeyRole[]): Promise<string[]> {
  await requireEmptyDirectory(target);
  const paths: string[] = [];
  for (const { file, publicKey, roles, sealed } of ring.files) {
    const isPrivate = sealed !== null && roles.every((role) => privateRoles.includes(role));
    paths.push(isPrivate ? await copyKeyFile(file, target, publicKey) : await savePublicKey(target, publicKey, roles));
  }
  for (const [name, text] of renderDrafts(ring.first)) {
    const path = join(target, name);
    await writeFileAtomic(path, text, `${path}.new`);
    paths.push(path);
  }
  return paths;
}
