import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { inspect } from 'node:util';
import { UpdateRepositoryError } from '../../errors.js';
import type { KeyId, TufKey } from './documents.js';
import { keyIdOf, tufKeyOf } from './public-key.js';

/** The kinds of keys that are made here. */
export type KeyType = TufKey['keytype'];

/** Whatever signs metadata by a key. */
export interface MetadataSigner {
  readonly id: KeyId;
  /** A signature over `bytes`, in hex digits. */
  sign(bytes: Uint8Array): string;
}

/**
 * A private key that signs metadata. What is shown, printed, copied or serialised of it is its public half alone: the
 * private one is in a private member.
 */
export class SigningKey implements MetadataSigner {
  readonly #private: KeyObject;
  readonly publicKey: TufKey;
  readonly id: KeyId;

  private constructor(privateKey: KeyObject, publicKey: TufKey) {
    this.#private = privateKey;
    this.publicKey = publicKey;
    this.id = keyIdOf(publicKey);
  }

  static generate(type: KeyType): SigningKey {
    const pair =
      type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return SigningKey.#of(pair.privateKey, 'a new key');
  }

  /** Reads a PEM of a PKCS#8 key; `where` names its place, an environment variable for one. Throws CONFIG. */
  static fromPem(pem: string, where: string): SigningKey {
    return SigningKey.#of(readPrivateKey(where, { key: pem, format: 'pem' }), where);
  }

  /** Reads one PEM after the other, each as {@link fromPem}. Throws CONFIG, also where there is none. */
  static allFromPem(text: string, where: string): SigningKey[] {
    const pems = text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [];
    if (pems.length === 0) throw notAKey(where, 'no PEM');
    return pems.map((pem) => SigningKey.fromPem(pem, where));
  }

  /** As {@link fromPem} for the bytes that {@link usePkcs8} gives. */
  static fromPkcs8(der: Buffer, where: string): SigningKey {
    return SigningKey.#of(readPrivateKey(where, { key: der, format: 'der', type: 'pkcs8' }), where);
  }

  static #of(privateKey: KeyObject, where: string): SigningKey {
    const publicKey = tufKeyOf(privateKey);
    if (publicKey !== null) return new SigningKey(privateKey, publicKey);
    throw notAKey(where, privateKey.asymmetricKeyType ?? 'another key');
  }

  sign(bytes: Uint8Array): string {
    return sign(this.publicKey.keytype === 'ed25519' ? null : 'sha256', bytes, this.#private).toString('hex');
  }

  /** Lends the private key as PKCS#8 to `use`; the bytes are overwritten when that returns. */
  usePkcs8<T>(use: (der: Buffer) => T): T {
    const der = this.#private.export({ format: 'der', type: 'pkcs8' });
    try {
      return use(der);
    } finally {
      der.fill(0);
    }
  }

  /** The private key as PEM, encrypted by nothing. */
  revealPem(): string {
    return this.#private.export({ format: 'pem', type: 'pkcs8' }).toString();
  }

  toJSON(): { readonly keyid: KeyId; readonly key: TufKey } {
    return { keyid: this.id, key: this.publicKey };
  }

  [inspect.custom](): string {
    return `SigningKey ${this.publicKey.keytype} ${this.id}`;
  }
}

/** The parser's own error is not passed on, as it may quote what it was given. */
function readPrivateKey(where: string, input: Parameters<typeof createPrivateKey>[0]): KeyObject {
  try {
    return createPrivateKey(input);
  } catch {
    throw notAKey(where, 'something else');
  }
}

function notAKey(where: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'CONFIG',
    `${where}: expected a private key, ed25519 or P-256, as PKCS#8 without a passphrase, found ${found}`,
    { data: { where } },
  );
}
