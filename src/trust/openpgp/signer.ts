import { UpdateRepositoryError } from '../../errors.js';

/** How a detached signature is written: as `.gpg`, or as `.asc`. */
export type SignatureForm = 'binary' | 'armored';

/** A public key as others import it. */
export interface PublicKey {
  /** Of the primary key: 40 lower-case hex digits. */
  readonly fingerprint: string;
  /** `KEY.gpg`: a keyring for gpgv, and for `gpg --import`. */
  readonly binary: Uint8Array;
  /** `KEY.asc` */
  readonly armored: string;
}

/** Who signs: a secret key of ours, or a gpg process with its agent or its smartcard. */
export interface Signer {
  readonly publicKey: PublicKey;
  /**
   * Makes a detached signature over `bytes`, of OpenPGP's type "binary document", by SHA-256 or better.
   *
   * @throws UpdateRepositoryError CONFIG when there is too much to sign or the key cannot sign; IO when gpg fails
   */
  sign(bytes: Uint8Array, form: SignatureForm): Promise<Uint8Array>;
}

/** Who is going to sign: the key is known before it is unlocked. */
export interface LockedSigner {
  readonly publicKey: PublicKey;
  /**
   * Gets and tries the passphrase, where one is needed.
   *
   * @throws UpdateRepositoryError CONFIG when there is none, or another one
   */
  unlock(): Promise<Signer>;
}

/** What is signed are checksum lists and meta files, never images. */
export const MAX_SIGNED_BYTES = 64 * 1024 * 1024;

export function checkSignedSize(bytes: Uint8Array): void {
  if (bytes.byteLength <= MAX_SIGNED_BYTES) return;
  throw new UpdateRepositoryError(
    'CONFIG',
    `signature: expected at most ${MAX_SIGNED_BYTES} bytes to sign, found ${bytes.byteLength}`,
  );
}
