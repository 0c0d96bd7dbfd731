import type { Command } from 'commander';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';

/** Adds `inspect`: says what is in a file. */
export function defineInspect(program: Command, accept: Accept): void {
  const command = program
    .command('inspect')
    .summary('say what is in an image, a delta, a signature or an index')
    .description(
      'Say what is in a file: an image, a delta, a signature of rdiff, a meta file, index.json, CKSUMS or SHA256SUMS. ' +
        'The contents tell, not the name. Exits with 3 for anything else, and for a damaged one.',
    )
    .argument('<file>', 'the file')
    .addHelpText('after', '\nExample:\n  update-repository inspect /srv/www/rdiffs/old--new.rdiff\n');

  command.action((path: string) =>
    accept(command, async ({ signal, onEvent }) => {
      const { inspectFile } = await import('../../images/inspect.js');
      onEvent({ type: 'inspection', path, ...(await inspectFile(path, signal)) });
      return EXIT.done;
    }),
  );
}
