import type { Key } from 'openpgp';
import { UpdateRepositoryError } from '../../errors.js';
import { describeValue } from '../../metadata/describe-value.js';
import { endingSoon, formatEnd } from './key-end.js';
import { parsePublicKey, publicKeyOf } from './public-key.js';
import { type GpgSettings, runGpg } from './run-gpg.js';
import { checkSignedSize, type PublicKey, type SignatureForm, type Signer } from './signer.js';
import { findSignatureFault } from './verify.js';

/**
 * Signs by a gpg process, for a key that its agent or a smartcard keeps. `keyId` is what gpg's `--local-user` takes; it
 * has to name one key. Every signature is verified before it is given away.
 *
 * @throws UpdateRepositoryError CONFIG when `keyId` names no key, or several; FORMAT when the key cannot be read; IO
 *   when gpg fails; INTERRUPTED
 */
export async function openGpgSigner(keyId: string, settings: GpgSettings): Promise<Signer> {
  if (keyId === '' || /\p{Cc}/u.test(keyId)) throw unfit('--gpg-key', 'the name of a key', describeValue(keyId));
  const where = `gpg key ${describeValue(keyId)}`;
  const bytes = await runGpg(['--export-options', 'export-minimal', '--export', '--', keyId], new Uint8Array(), {
    ...settings,
    passphrase: null,
  });
  if (bytes.byteLength === 0) throw unfit(where, 'it in the keyring', 'no such key');
  const key = await parsePublicKey(bytes, where);
  const end = await endingSoon(key, new Date());
  // A subkey that is chosen is for gpg to judge.
  if (end !== null && end <= new Date() && !keyId.endsWith('!'))
    throw unfit(where, 'one that is still good', `that it expired at ${formatEnd(end)}`);
  return new GpgSigner(key, publicKeyOf(key, bytes), keyId, settings);
}

class GpgSigner implements Signer {
  readonly publicKey: PublicKey;
  readonly #key: Key;
  readonly #keyId: string;
  readonly #settings: GpgSettings;

  constructor(key: Key, publicKey: PublicKey, keyId: string, settings: GpgSettings) {
    this.publicKey = publicKey;
    this.#key = key;
    // "!" chooses a subkey; everything else might name another key by now.
    this.#keyId = keyId.endsWith('!') ? keyId : publicKey.fingerprint;
    this.#settings = settings;
  }

  async sign(bytes: Uint8Array, form: SignatureForm): Promise<Uint8Array> {
    checkSignedSize(bytes);
    const args = ['--local-user', this.#keyId, ...(form === 'armored' ? ['--armor'] : []), '--detach-sign'];
    const signature = await runGpg(args, bytes, this.#settings);
    const fault = await findSignatureFault(signature, form, bytes, this.#key, new Date());
    if (fault === null) return signature;
    throw new UpdateRepositoryError(
      'VERIFICATION',
      `gpg key ${this.publicKey.fingerprint}: expected a good signature by SHA-256 or better, found ${fault}`,
    );
  }
}

function unfit(where: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${where}: expected ${expected}, found ${found}`);
}
