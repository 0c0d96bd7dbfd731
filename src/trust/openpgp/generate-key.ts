import { generateKey, type KeyOptions } from 'openpgp';
import { UpdateRepositoryError } from '../../errors.js';
import { describeValue } from '../../metadata/describe-value.js';
import type { Passphrase } from '../passphrase.js';
import { publicKeyOf } from './public-key.js';
import { writeSecretFile } from './secret-file.js';
import type { PublicKey } from './signer.js';

export type KeyAlgorithm = 'ed25519' | 'rsa3072' | 'rsa4096';

export interface NewKey {
  readonly algorithm: KeyAlgorithm;
  /** As it stands in the key: `Mirror of ACME`. */
  readonly userId: string;
  readonly created: Date;
  /** Null for a key that is good for ever. */
  readonly expires: Date | null;
  readonly passphrase: Passphrase;
}

/** Of the most bytes (65 million) that OpenPGP's iterated S2K hashes; gpg 2.2 knows no Argon2. */
const S2K_ITERATION_COUNT_BYTE = 255;
const MAX_USER_ID_BYTES = 255;

/**
 * Makes a key that only signs, of version 4 and without anything that gpgv 2.2 does not know, and writes its secret half
 * to a new file: armored, locked by the passphrase, readable by its owner alone.
 *
 * @throws UpdateRepositoryError CONFIG when the user id or the date does not fit, or the file is there; IO
 */
export async function generateSecretKey(path: string, key: NewKey): Promise<PublicKey> {
  const fault = findUserIdFault(key.userId);
  if (fault !== null) throw new UpdateRepositoryError('CONFIG', `user id: expected one line, found ${fault}`);
  const { privateKey } = await generateKey({
    ...algorithmOptions(key.algorithm),
    // As a whole: the library would put brackets round the parts.
    userIDs: { name: key.userId },
    passphrase: key.passphrase.reveal(),
    date: key.created,
    keyExpirationTime: lifetimeSeconds(key),
    subkeys: [],
    format: 'object',
    config: { v6Keys: false, aeadProtect: false, s2kIterationCountByte: S2K_ITERATION_COUNT_BYTE },
  });
  await writeSecretFile(path, privateKey.armor());
  return publicKeyOf(privateKey);
}

function algorithmOptions(algorithm: KeyAlgorithm): Pick<KeyOptions, 'type' | 'curve' | 'rsaBits'> {
  switch (algorithm) {
    case 'ed25519':
      return { type: 'ecc', curve: 'ed25519Legacy' };
    case 'rsa3072':
      return { type: 'rsa', rsaBits: 3072 };
    case 'rsa4096':
      return { type: 'rsa', rsaBits: 4096 };
  }
}

/** 0 is OpenPGP's word for ever. */
function lifetimeSeconds({ created, expires }: NewKey): number {
  if (expires === null) return 0;
  const seconds = Math.floor((expires.getTime() - created.getTime()) / 1000);
  if (seconds > 0 && seconds < 2 ** 32) return seconds;
  throw new UpdateRepositoryError(
    'CONFIG',
    `expiry: expected a time within 136 years after ${created.toISOString()}, found ${expires.toISOString()}`,
  );
}

function findUserIdFault(userId: string): string | null {
  if (userId.trim() === '') return describeValue(userId);
  const bytes = Buffer.byteLength(userId);
  if (bytes > MAX_USER_ID_BYTES) return `${bytes} bytes, more than ${MAX_USER_ID_BYTES}`;
  return /[\p{C}\p{Zl}\p{Zp}\uFFFD]/u.test(userId) ? describeValue(userId) : null;
}
