import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { chooseResources, type ResourceFlags, resourceOptions } from '../resources.js';

interface VerifyFlags extends ResourceFlags {
  readonly deep?: boolean;
}

/** Adds `verify`: every file of a mirror against every checksum that names it. */
export function defineVerify(program: Command, accept: Accept): void {
  const command = program
    .command('verify')
    .summary('check every file of a mirror')
    .description(
      'Check every file of a mirror against every index and checksum that names it. Nothing is written. ' +
        'Exits with 3 when something is wrong.',
    )
    .argument('<mirror>', 'the mirror')
    .option('--deep', 'apply every delta too, and compare what comes out')
    .addHelpText('after', '\nExample:\n  update-repository verify --deep /srv/images/mirror\n');
  for (const option of resourceOptions()) command.addOption(option);

  command.action((mirrorDir: string, flags: VerifyFlags) =>
    accept(command, async (session) => {
      const { verifyMirror } = await import('../../images/verify.js');
      const summary = await verifyMirror({
        mirrorDir,
        deep: flags.deep ?? false,
        resources: chooseResources(flags),
        ...session,
      });
      return summary.errors > 0 ? EXIT.verification : EXIT.done;
    }),
  );
}
