import { armor, enums, type Key, readKeys } from 'openpgp';
import { UpdateRepositoryError } from '../../errors.js';
import { describeValue } from '../../metadata/describe-value.js';
import type { PublicKey } from './signer.js';

/** The public half of a key; `bytes` are the packets that are to be exported. */
export function publicKeyOf(key: Key, bytes: Uint8Array = key.toPublic().write()): PublicKey {
  return {
    fingerprint: key.getFingerprint(),
    binary: bytes,
    armored: armor(enums.armor.publicKey, bytes, undefined, undefined, undefined, true),
  };
}

/**
 * Reads an exported key in its binary form; `where` opens the messages.
 *
 * @throws UpdateRepositoryError FORMAT when it is no single public key
 */
export async function parsePublicKey(bytes: Uint8Array, where: string): Promise<Key> {
  const keys = await readKeys({ binaryKeys: bytes }).catch((error: unknown) => {
    throw unexpected(where, describeValue(error instanceof Error ? error.message : error), error);
  });
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw unexpected(where, String(keys.length));
  if (key.isPrivate()) throw unexpected(where, 'a secret key');
  return key;
}

function unexpected(where: string, found: string, cause?: unknown): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${where}: expected one public OpenPGP key, found ${found}`, { cause });
}
