import { type Command, Option } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';

interface AuditFlags {
  readonly transfers: number;
}

/** Adds `audit`: looks at mirrors as clients see them. */
export function defineAudit(program: Command, accept: Accept): void {
  const command = program
    .command('audit')
    .summary('look at mirrors as clients see them')
    .description(
      'Ask web servers for every file that the indexes of a mirror name, without downloading it: whether it is there, ' +
        'whole, in parts, uncompressed and without a redirect, and whether the mirrors have the same. Exits with 3 when ' +
        'something is wrong.',
    )
    .argument('<url...>', 'where the mirror is served')
    .addOption(
      new Option('--transfers <n>', 'ask for so many files at once')
        .default(4)
        .argParser(optionValue('--transfers', parseCount)),
    )
    .addHelpText(
      'after',
      '\nExample:\n  update-repository audit https://images.example.org https://mirror.example.net\n',
    );

  command.action((urls: string[], { transfers }: AuditFlags) =>
    accept(command, async (session) => {
      const { auditMirrors } = await import('../../images/audit.js');
      const { errors } = await auditMirrors({ urls, transfers, ...session });
      return errors > 0 ? EXIT.verification : EXIT.done;
    }),
  );
}
