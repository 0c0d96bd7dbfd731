import { UpdateRepositoryError } from '../../errors.js';
import { canonicalJson } from './canonical-json.js';
import type { Envelope, KeyId, KeyTable, RoleKeys, Signature, TufDocument } from './documents.js';
import { isSignatureOf } from './public-key.js';
import type { MetadataSigner } from './signing-key.js';

/** Whose signatures a role's metadata needs, with the keys themselves. */
export interface Signers {
  readonly role: string;
  readonly roleKeys: RoleKeys;
  readonly keys: KeyTable;
}

/** The keys of a role that signed, of those whose signature is good. */
export function goodSigners(envelope: Envelope<TufDocument>, { roleKeys, keys }: Signers): KeyId[] {
  const bytes = signedBytes(envelope.signed);
  const byKey = new Map(envelope.signatures.map(({ keyid, sig }) => [keyid, sig]));
  return roleKeys.keyids.filter((id) => {
    const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
    const signature = byKey.get(id);
    return key !== undefined && signature !== undefined && isSignatureOf(key, bytes, signature);
  });
}

/** Whether as many keys of the role signed as it asks for (TUF specification, section 5.3.4). */
export function isSigned(envelope: Envelope<TufDocument>, signers: Signers): boolean {
  return goodSigners(envelope, signers).length >= signers.roleKeys.threshold;
}

/** Throws VERIFICATION, naming `file`, when {@link isSigned} is not so. */
export function checkSigned(envelope: Envelope<TufDocument>, signers: Signers, file: string): void {
  const found = goodSigners(envelope, signers).length;
  const { threshold, keyids } = signers.roleKeys;
  if (found >= threshold) return;
  const expected = `${threshold} of the ${keyids.length} keys of ${signers.role}`;
  throw new UpdateRepositoryError(
    'VERIFICATION',
    `${file}: expected good signatures of ${expected}, found ${found === 0 ? 'none' : found}`,
    { data: { file, role: signers.role, threshold, found } },
  );
}

/** Whether the keys at hand suffice to sign for a role. */
export function canSign({ roleKeys }: Signers, keys: readonly MetadataSigner[]): boolean {
  return keys.filter(({ id }) => roleKeys.keyids.includes(id)).length >= roleKeys.threshold;
}

/**
 * A document signed by all keys at hand that are the role's.
 *
 * @throws UpdateRepositoryError CONFIG naming the keys of the role when too few of them are at hand.
 */
export function signWith<Document extends TufDocument>(
  signed: Document,
  signers: Signers,
  keys: readonly MetadataSigner[],
): Envelope<Document> {
  if (!canSign(signers, keys)) throw keysMissing(signers, keys);
  return { signatures: signaturesOf(signed, keys, signers.roleKeys.keyids), signed };
}

/** The same document with the signatures of those `keys` added, or made anew, whose ids are in `keyids`. */
export function addSignatures<Document extends TufDocument>(
  { signatures, signed }: Envelope<Document>,
  keys: readonly MetadataSigner[],
  keyids: readonly KeyId[],
): Envelope<Document> {
  const added = signaturesOf(signed, keys, keyids);
  const others = signatures.filter(({ keyid }) => !added.some((one) => one.keyid === keyid));
  return { signatures: [...others, ...added], signed };
}

/** The error for a role whose keys are not at hand. */
export function keysMissing({ role, roleKeys }: Signers, keys: readonly MetadataSigner[]): UpdateRepositoryError {
  const { keyids, threshold } = roleKeys;
  const found = keys.filter(({ id }) => keyids.includes(id)).length;
  const wanted = keyids.length === 1 ? `key ${keyids[0]}` : `${threshold} of the keys ${keyids.join(', ')}`;
  return new UpdateRepositoryError(
    'CONFIG',
    `role ${role}: expected ${wanted} to sign with, found ${found === 0 ? 'none' : found} of them at hand`,
    { data: { role, threshold, keyids }, hint: 'sign it with `key sign` where those keys are' },
  );
}

function signaturesOf(signed: TufDocument, keys: readonly MetadataSigner[], keyids: readonly KeyId[]): Signature[] {
  const bytes = signedBytes(signed);
  const byId = new Map(keys.map((key) => [key.id, key]));
  return [...byId.values()]
    .filter(({ id }) => keyids.includes(id))
    .map((key) => ({ keyid: key.id, sig: key.sign(bytes) }));
}

function signedBytes(signed: TufDocument): Buffer {
  return Buffer.from(canonicalJson(signed));
}
