import type { Passphrase } from '../passphrase.js';
import type { LockedSigner } from './signer.js';

/** Where the key is that signs the lists of a mirror. */
export type SignerPlace =
  | {
      readonly kind: 'file';
      /** The secret key, armored or binary. */
      readonly path: string;
      /** Asked only where the key is locked, and something is to be signed. */
      readonly askPassphrase: () => Promise<Passphrase>;
    }
  | {
      readonly kind: 'gpg';
      /** As gpg's `--local-user` takes it; gpg's agent asks for what it needs. */
      readonly keyId: string;
      readonly signal: AbortSignal;
    };

/** Someone may have to type a PIN, or to touch a card. */
const GPG_TIMEOUT_MS = 300_000;

/**
 * Finds the key that is to sign the lists of a mirror. Nobody is asked for anything before it is unlocked.
 *
 * @throws UpdateRepositoryError CONFIG when it is missing in the keyring or of a kind that we do not sign with; FORMAT when
 *   it is none; NOT_FOUND, IO, INTERRUPTED
 */
export async function findSigner(place: SignerPlace): Promise<LockedSigner> {
  switch (place.kind) {
    case 'file': {
      const { readKeySigner } = await import('./key-signer.js');
      return await readKeySigner({ ...place, now: () => new Date() });
    }
    case 'gpg': {
      const { openGpgSigner } = await import('./gpg-signer.js');
      const { keyId, signal } = place;
      const signer = await openGpgSigner(keyId, { passphrase: null, timeoutMs: GPG_TIMEOUT_MS, signal });
      return { publicKey: signer.publicKey, unlock: async () => signer };
    }
  }
}
