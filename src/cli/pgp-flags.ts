import { Option } from 'commander';
import type { LockedSigner } from '../trust/openpgp/signer.js';
import type { Passphrase } from '../trust/passphrase.js';

/** The key by which a command signs the lists of a mirror for OpenPGP. */
export interface PgpFlags {
  readonly pgpKey?: string;
  readonly gpgKey?: string;
}

/** The options of the commands that sign the lists of a mirror. */
export function pgpOptions(): Option[] {
  return [
    new Option(
      '--pgp-key <file>',
      'sign its lists for gpgv with the secret OpenPGP key in this file, see key pgp-init',
    ),
    new Option('--gpg-key <id>', 'the same by gpg, with the key that it knows by this name').conflicts('pgpKey'),
  ];
}

/** The key that these flags name, if any: it is looked at, and not unlocked. Throws CONFIG, NOT_FOUND, FORMAT, IO. */
export async function findListSigner(
  { pgpKey, gpgKey }: PgpFlags,
  askPassphrase: () => Promise<Passphrase>,
  signal: AbortSignal,
): Promise<LockedSigner | undefined> {
  if (pgpKey === undefined && gpgKey === undefined) return undefined;
  const { findSigner } = await import('../trust/openpgp/open-signer.js');
  return pgpKey === undefined
    ? await findSigner({ kind: 'gpg', keyId: gpgKey ?? '', signal })
    : await findSigner({ kind: 'file', path: pgpKey, askPassphrase });
}
