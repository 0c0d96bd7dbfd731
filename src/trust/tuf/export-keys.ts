import { join } from 'node:path';
import { writeFileAtomic } from '../../io/atomic-file.js';
import { requireEmptyDirectory } from '../../io/empty-directory.js';
import { renderDrafts } from './drafts.js';
import { copyKeyFile, savePem, savePublicKey } from './key-directory.js';
import type { KeyRing } from './key-ring.js';
import type { KeyRole } from './role-names.js';

/** How private halves are exported: as encrypted as they are, or as PEM files that nothing encrypts. */
export type PrivateForm = 'encrypted' | 'pem';

/**
 * Copies a directory of keys: of those that are for these roles alone the private half, in this form, and of all others the
 * public one; with the first root and targets. Throws CONFIG when `target` is not empty, or for a PEM by a wrong passphrase.
 */
export async function exportKeys(
  ring: KeyRing,
  target: string,
  privateRoles: readonly KeyRole[],
  form: PrivateForm = 'encrypted',
): Promise<string[]> {
  await requireEmptyDirectory(target);
  const paths: string[] = [];
  for (const { id, file, publicKey, roles, sealed } of ring.files) {
    const isPrivate = sealed !== null && roles.every((role) => privateRoles.includes(role));
    if (isPrivate && form === 'encrypted') {
      paths.push(await copyKeyFile(file, target, publicKey));
      continue;
    }
    paths.push(await savePublicKey(target, publicKey, roles));
    const [key] = isPrivate ? await ring.unlock([id]) : [];
    if (key !== undefined) paths.push(await savePem(target, key));
  }
  for (const [name, text] of renderDrafts(ring.first)) {
    const path = join(target, name);
    await writeFileAtomic(path, text, `${path}.new`);
    paths.push(path);
  }
  return paths;
}
