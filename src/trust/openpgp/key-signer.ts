import { readFile, stat } from 'node:fs/promises';
import { createMessage, type KeyID, type PrivateKey, readPrivateKeys, type SecretSubkeyPacket, sign } from 'openpgp';
import { fromSystemError, UpdateRepositoryError } from '../../errors.js';
import { describeValue } from '../../metadata/describe-value.js';
import type { Passphrase } from '../passphrase.js';
import { SIGNING_CONFIG } from './config.js';
import { findKeyFault, KEY_FORM } from './key-rules.js';
import { publicKeyOf } from './public-key.js';
import { checkSignedSize, type LockedSigner, type PublicKey, type SignatureForm, type Signer } from './signer.js';

/** A key with many user ids and signatures of others still has less. */
const MAX_KEY_FILE_BYTES = 1024 * 1024;

export interface KeySignerSettings {
  /** The secret key, armored or binary. */
  readonly path: string;
  /** Asked once, and only where the key is locked. */
  readonly askPassphrase: () => Promise<Passphrase>;
  /** When the signatures say that they were made. */
  readonly now: () => Date;
}

/**
 * Loads and unlocks the secret key of a file, to sign with it.
 *
 * @throws UpdateRepositoryError CONFIG when the passphrase is another one; as {@link readKeySigner}
 */
export async function openKeySigner(settings: KeySignerSettings): Promise<Signer> {
  const locked = await readKeySigner(settings);
  return await locked.unlock();
}

/**
 * Loads the secret key of a file, to sign with it once it is unlocked: by the newest subkey that signs, or else by the key
 * itself. What may sign is looked at once, at `now`.
 *
 * @throws UpdateRepositoryError FORMAT when the file is no secret key; CONFIG when the key is of a kind that we do not
 *   sign with, or cannot sign at that time; NOT_FOUND, IO
 */
export async function readKeySigner({ path, askPassphrase, now }: KeySignerSettings): Promise<LockedSigner> {
  const key = await readSecretKey(path);
  const signing = await signingPart(key, path, now());
  for (const part of [key, signing]) {
    const fault = findKeyFault(part);
    if (fault !== null) throw unfit(path, KEY_FORM, fault);
  }
  const packet = signing.keyPacket as SecretSubkeyPacket;
  if (packet.isMissingSecretKeyMaterial()) {
    throw unfit(path, 'the secret key that signs', 'a stub of it', 'sign by gpg where the key is on a smartcard');
  }
  return {
    publicKey: publicKeyOf(key),
    async unlock() {
      if (!packet.isDecrypted()) await unlock(packet, await askPassphrase(), path);
      return new KeySigner(key, signing.getKeyID(), path, now);
    },
  };
}

/**
 * The public half of the secret key in a file, whatever it may sign; no passphrase is needed.
 *
 * @throws UpdateRepositoryError FORMAT when the file is no secret key; NOT_FOUND, IO
 */
export async function readPublicHalf(path: string): Promise<PublicKey> {
  return publicKeyOf(await readSecretKey(path));
}

/** Holds an unlocked secret key where nothing shows it by accident. */
class KeySigner implements Signer {
  readonly publicKey: PublicKey;
  readonly #key: PrivateKey;
  readonly #signingKeyId: KeyID;
  readonly #path: string;
  readonly #now: () => Date;

  constructor(key: PrivateKey, signingKeyId: KeyID, path: string, now: () => Date) {
    this.publicKey = publicKeyOf(key);
    this.#key = key;
    this.#signingKeyId = signingKeyId;
    this.#path = path;
    this.#now = now;
  }

  async sign(bytes: Uint8Array, form: SignatureForm): Promise<Uint8Array> {
    checkSignedSize(bytes);
    const options = {
      message: await createMessage({ binary: bytes }),
      signingKeys: this.#key,
      signingKeyIDs: this.#signingKeyId,
      detached: true,
      date: this.#now(),
      config: SIGNING_CONFIG,
    };
    try {
      return form === 'binary'
        ? await sign({ ...options, format: 'binary' })
        : Buffer.from(await sign({ ...options, format: 'armored' }), 'latin1');
    } catch (error) {
      throw unfit(this.#path, 'a key that can sign', messageOf(error));
    }
  }
}

async function readSecretKey(path: string): Promise<PrivateKey> {
  const bytes = await readKeyFile(path);
  const keys = await parseSecretKeys(bytes).catch((error: unknown) => {
    throw malformed(path, messageOf(error), error);
  });
  const [key] = keys;
  if (key === undefined || keys.length > 1) throw malformed(path, `${keys.length} of them`);
  return key;
}

async function readKeyFile(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_KEY_FILE_BYTES) throw malformed(path, `${size} bytes`);
    return await readFile(path);
  } catch (error) {
    throw fromSystemError(error, 'read the secret key', path);
  }
}

/** The first bit of a packet is set (RFC 9580, section 4.2), that of a letter is not. */
function parseSecretKeys(bytes: Uint8Array): Promise<PrivateKey[]> {
  return ((bytes[0] ?? 0) & 0x80) !== 0
    ? readPrivateKeys({ binaryKeys: bytes })
    : readPrivateKeys({ armoredKeys: Buffer.from(bytes).toString('latin1') });
}

async function signingPart(key: PrivateKey, path: string, now: Date) {
  try {
    return await key.getSigningKey(undefined, now);
  } catch (error) {
    // Of a kind that the library refuses as well, ours is the plainer word.
    const fault = findKeyFault(key);
    throw fault === null ? unfit(path, 'a key that can sign', messageOf(error)) : unfit(path, KEY_FORM, fault);
  }
}

async function unlock(packet: SecretSubkeyPacket, passphrase: Passphrase, path: string): Promise<void> {
  try {
    await packet.decrypt(passphrase.reveal());
    await packet.validate();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (message.includes('Incorrect key passphrase')) throw unfit(path, 'the passphrase of the key', 'another one');
    throw malformed(path, messageOf(error), error);
  }
}

function messageOf(error: unknown): string {
  return describeValue(error instanceof Error ? error.message : error);
}

function malformed(path: string, found: string, cause?: unknown): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${path}: expected one secret OpenPGP key, found ${found}`, {
    data: { path },
    cause,
  });
}

function unfit(path: string, expected: string, found: string, hint?: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${path}: expected ${expected}, found ${found}`, {
    data: { path },
    ...(hint === undefined ? {} : { hint }),
  });
}
