import type { Command } from 'commander';
import { type DeltaFlags, deltaOptions } from '../delta-flags.js';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { requireWritable } from '../output-path.js';
import { chooseResources, type ResourceFlags, resourceOptions } from '../resources.js';

interface Flags extends ResourceFlags, DeltaFlags {
  readonly force?: boolean;
  readonly verify?: boolean;
  readonly sync: boolean;
}

/** There is one file to work on. */
const ONE_DELTA = { jobs: 'work with so many threads', memory: 'memory for all threads together' };

/** Adds `delta`: one delta from two files. */
export function defineDelta(program: Command, accept: Accept): void {
  const command = program
    .command('delta')
    .summary('make one delta from two files')
    .description(
      'Write the delta that makes <target> from <base>, for `patch` or `rdiff patch`. It is complete and on the disk ' +
        'when it appears under its name, unless --no-sync is given.',
    )
    .argument('<base>', 'the file that whoever applies the delta has')
    .argument('<target>', 'the file that it is to become')
    .argument('<delta>', 'where the delta goes')
    .option('-f, --force', 'replace an existing <delta>')
    .option('--no-sync', 'do not wait until the delta is on the disk, as rdiff does not')
    .option('--verify', 'apply the delta, and compare what it makes with <target>')
    .addHelpText('after', '\nExample:\n  update-repository delta old.img new.img old-new.rdiff\n');
  for (const option of [...deltaOptions(), ...resourceOptions(ONE_DELTA)]) command.addOption(option);

  command.action((basePath: string, targetPath: string, deltaPath: string, flags: Flags) =>
    accept(command, async (session) => {
      const force = flags.force ?? false;
      requireWritable(deltaPath, { force, inputs: [basePath, targetPath] });
      const { makeSingleDelta } = await import('../../images/single-delta.js');
      await makeSingleDelta({
        basePath,
        targetPath,
        deltaPath,
        force,
        effort: flags.deltaEffort,
        engine: flags.engine,
        verify: flags.verify ?? false,
        sync: flags.sync,
        resources: chooseResources(flags),
        ...session,
      });
      return EXIT.done;
    }),
  );
}
