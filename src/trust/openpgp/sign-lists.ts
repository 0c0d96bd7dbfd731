import { CKSUMS_FILE, DELTA_SHA256SUMS_FILE, META_DIR, SHA256SUMS_FILE } from '../../metadata/mirror-paths.js';
import type { PublicKey, SignatureForm, Signer } from './signer.js';

/** The public key of a mirror, in its root. */
export const KEY_FILE = 'KEY.gpg';

/** Far above any signature, and any key with its user ids: of more nothing is read. */
export const MAX_SIGNATURE_BYTES = 1 << 20;

export interface SignatureFile {
  /** Relative to the mirror's root. */
  readonly path: string;
  readonly form: SignatureForm;
}

/** The signatures that lie beside a file of a mirror; none beside a file that is not signed. */
export function signaturesBeside(path: string): readonly SignatureFile[] {
  const armored: SignatureFile = { path: `${path}.asc`, form: 'armored' };
  if (path === SHA256SUMS_FILE || path === DELTA_SHA256SUMS_FILE)
    return [{ path: `${path}.gpg`, form: 'binary' }, armored];
  return path === CKSUMS_FILE || isMeta(path) ? [armored] : [];
}

/** Whether a path is that of a signature beside a file that is signed. */
export function isSignature(path: string): boolean {
  return signaturesBeside(path.replace(/\.(asc|gpg)$/, '')).some((beside) => beside.path === path);
}

export interface SignedLists {
  /** The files to write, by path: first the key, then the signatures in the order of the texts. */
  readonly write: ReadonlyMap<string, Uint8Array>;
  /** The paths of those that are there already and still good. */
  readonly kept: readonly string[];
}

/**
 * Signs the texts of a mirror: both SHA256SUMS, CKSUMS and the meta files among `texts`, by path. Of `existing`, the signatures
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
  const due = await findDue(texts, existing, signer.publicKey, now);
  const write = new Map<string, Uint8Array>();
  const kept: string[] = [];
  if (due.has(KEY_FILE)) write.set(KEY_FILE, signer.publicKey.binary);
  else kept.push(KEY_FILE);
  for (const [path, text] of texts) {
    for (const signature of signaturesBeside(path)) {
      if (due.has(signature.path)) write.set(signature.path, await signer.sign(Buffer.from(text), signature.form));
      else kept.push(signature.path);
    }
  }
  return { write, kept };
}

/** The paths that {@link signLists} would write: no secret is needed to know them. */
export async function findDue(
  texts: ReadonlyMap<string, string>,
  existing: ReadonlyMap<string, Uint8Array>,
  publicKey: PublicKey,
  now: Date,
): Promise<ReadonlySet<string>> {
  const due = new Set<string>();
  if (!isSame(existing.get(KEY_FILE), publicKey.binary)) due.add(KEY_FILE);
  for (const { path } of await findFaults(texts, existing, publicKey.binary, now)) due.add(path);
  return due;
}

/** A signature that is missing or not good. */
export interface SignatureFault {
  /** Of the signature. */
  readonly path: string;
  /** Of what it should be over. */
  readonly over: string;
  /** What is wrong with it, as a noun phrase; null where there is none. */
  readonly found: string | null;
}

/**
 * The signatures beside `texts` that are missing in `existing`, or no good ones by this key.
 *
 * @throws UpdateRepositoryError FORMAT when `keyBytes` are no single public key
 */
export async function findFaults(
  texts: ReadonlyMap<string, string>,
  existing: ReadonlyMap<string, Uint8Array>,
  keyBytes: Uint8Array,
  now: Date,
): Promise<SignatureFault[]> {
  // Loading the OpenPGP library takes a tenth of a second: only who verifies waits for it.
  const { parsePublicKey } = await import('./public-key.js');
  const { findSignatureFault } = await import('./verify.js');
  const key = await parsePublicKey(keyBytes, KEY_FILE);
  const faults: SignatureFault[] = [];
  for (const [over, text] of texts) {
    const bytes = Buffer.from(text);
    for (const { path, form } of signaturesBeside(over)) {
      const signature = existing.get(path);
      if (signature === undefined) faults.push({ path, over, found: null });
      else {
        const found = await findSignatureFault(signature, form, bytes, key, now);
        if (found !== null) faults.push({ path, over, found });
      }
    }
  }
  return faults;
}

function isMeta(path: string): boolean {
  return path.startsWith(`${META_DIR}/`) && path.endsWith('.json');
}

function isSame(found: Uint8Array | undefined, bytes: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found, bytes) === 0;
}
