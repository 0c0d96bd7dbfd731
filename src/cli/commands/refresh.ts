import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { openKeys, type PassphraseFlags, passphraseOption } from '../sign-flags.js';

interface RefreshFlags extends PassphraseFlags {
  readonly sign: string;
  readonly breakLock?: boolean;
}

/** Adds `refresh`: signs anew what expires soon. */
export function defineRefresh(program: Command, accept: Accept): void {
  const command = program
    .command('refresh')
    .summary("sign a mirror's metadata anew before it expires")
    .description(
      'Sign anew what expires soon of the metadata of a mirror; what it vouches for stays as it is. Metadata whose keys are ' +
        'elsewhere is warned of. To be run every day.',
    )
    .argument('<mirror>', 'the mirror')
    .requiredOption('--sign <keys>', 'the directory of keys, see key init')
    .addOption(passphraseOption())
    .option('--break-lock', 'take over the lock of a process that is gone')
    .addHelpText('after', '\nExample:\n  update-repository refresh --sign /srv/keys /srv/www\n');
  command.action((mirrorDir: string, flags: RefreshFlags) =>
    accept(command, async ({ signal, onEvent }) => {
      const { refreshMirror } = await import('../../images/refresh.js');
      const ring = await openKeys(flags.sign, flags, signal);
      await refreshMirror({ mirrorDir, ring, breakLock: flags.breakLock ?? false, onEvent });
      return EXIT.done;
    }),
  );
}
