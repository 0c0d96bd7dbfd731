import type { Command } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import { EXIT } from '../exit-codes.js';
import { graceOption } from '../grace.js';
import type { Accept } from '../invocation.js';
import { type LifetimeFlags, lifetimeOption } from '../lifetime-option.js';
import { findListSigner, type PgpFlags, pgpOptions } from '../pgp-flags.js';
import { keysDirectory, openKeys, type PassphraseFlags, passphraseOnce, passphraseOption } from '../sign-flags.js';

interface RefreshFlags extends PassphraseFlags, LifetimeFlags, PgpFlags {
  readonly sign?: string;
  readonly prune?: boolean;
  readonly grace: number;
  readonly breakLock?: boolean;
}

/** Adds `refresh`: signs anew what expires soon. */
export function defineRefresh(program: Command, accept: Accept): void {
  const command = program
    .command('refresh')
    .summary("sign a mirror's metadata anew before it expires")
    .description(
      'Sign anew what expires soon of the metadata of a mirror; what it vouches for stays as it is. Metadata whose keys are ' +
        'elsewhere is warned of. With an OpenPGP key, make the signatures of its lists that are missing. To be run every day.',
    )
    .argument('<mirror>', 'the mirror')
    .option('--sign <keys>', 'the directory of keys, or the file of one, see key init (default: as before)')
    .addOption(passphraseOption())
    .addOption(lifetimeOption());
  for (const option of pgpOptions()) command.addOption(option);
  command
    .option('--prune', 'afterwards remove what nothing needs any more, as the command prune does')
    .addOption(graceOption('with --prune: keep a file for so long after the last index or metadata that named it'))
    .option('--break-lock', 'take over the lock of a process that is gone')
    .addHelpText('after', '\nExample:\n  update-repository refresh --prune /srv/www\n');
  command.action((mirrorDir: string, flags: RefreshFlags) =>
    accept(command, async ({ signal, onEvent }) => {
      const { refreshMirror } = await import('../../images/refresh.js');
      const directory = await keysDirectory(flags.sign, mirrorDir, onEvent);
      const ask = passphraseOnce({ ...flags, keysDir: directory }, signal);
      const signLists = await findListSigner(flags, ask, signal);
      if (directory === null && signLists === undefined) throw noKeys(mirrorDir);
      const ring = directory === null ? null : await openKeys(directory, flags, signal, ask);
      const prune = flags.prune === true ? { graceMs: flags.grace } : undefined;
      await refreshMirror({
        mirrorDir,
        ring,
        signLists,
        lifetimes: flags.expires,
        prune,
        breakLock: flags.breakLock ?? false,
        signal,
        onEvent,
      });
      return EXIT.done;
    }),
  );
}

function noKeys(mirrorDir: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${mirrorDir}: expected keys to sign it with, found none`, {
    data: { path: mirrorDir },
    hint: 'give --sign KEYS, which is remembered, --pgp-key FILE or --gpg-key ID',
  });
}
