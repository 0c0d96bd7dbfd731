import type { Key } from 'openpgp';
import { CKSUMS_FILE, META_DIR, SHA256SUMS_FILE } from '../../metadata/mirror-paths.js';
import { parsePublicKey } from './public-key.js';
import type { SignatureForm, Signer } from './signer.js';
import { findSignatureFault } from './verify.js';

/** The public key of a mirror, in its root. */
export const KEY_FILE = 'KEY.gpg';

export interface SignatureFile {
  /** Relative to the mirror's root. */
  readonly path: string;
  readonly form: SignatureForm;
}

/** The signatures that lie beside a file of a mirror; none beside a file that is not signed. */
export function signaturesBeside(path: string): readonly SignatureFile[] {
  const armored: SignatureFile = { path: `${path}.asc`, form: 'armored' };
  if (path === SHA256SUMS_FILE) return [{ path: `${path}.gpg`, form: 'binary' }, armored];
  return path === CKSUMS_FILE || isMeta(path) ? [armored] : [];
}

export interface SignedLists {
  /** The files to write, by path: first the key, then the signatures in the order of the texts. */
  readonly write: ReadonlyMap<string, Uint8Array>;
  /** The paths of those that are there already and still good. */
  readonly kept: readonly string[];
}

/**
 * Signs the texts of a mirror: SHA256SUMS, CKSUMS and the meta files among `texts`, by path. Of `existing`, the signatures
 * and the key that the mirror has, also by path, those stay that are of the same bytes by the same key: where nothing
 * changed, nothing is signed, and the signer's agent is not asked.
 *
 * @throws UpdateRepositoryError as {@link Signer.sign}
 */
export async function signLists(
  texts: ReadonlyMap<string, string>,
  existing: ReadonlyMap<string, Uint8Array>,
  signer: Signer,
  now: Date,
): Promise<SignedLists> {
  const key = await parsePublicKey(signer.publicKey.binary, KEY_FILE);
  const write = new Map<string, Uint8Array>();
  const kept: string[] = [];
  if (isSame(existing.get(KEY_FILE), signer.publicKey.binary)) kept.push(KEY_FILE);
  else write.set(KEY_FILE, signer.publicKey.binary);
  for (const [path, text] of texts) {
    const bytes = Buffer.from(text);
    for (const signature of signaturesBeside(path)) {
      const found = existing.get(signature.path);
      if (await isGood(found, signature.form, bytes, key, now)) kept.push(signature.path);
      else write.set(signature.path, await signer.sign(bytes, signature.form));
    }
  }
  return { write, kept };
}

function isMeta(path: string): boolean {
  return path.startsWith(`${META_DIR}/`) && path.endsWith('.json');
}

function isSame(found: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found, bytes) === 0;
}

async function isGood(
  found: Uint8Array | undefined,
  form: SignatureForm,
  bytes: Uint8Array,
  key: Key,
  now: Date,
): Promise<boolean> {
  return found !== undefined && (await findSignatureFault(found, form, bytes, key, now)) === null;
}
