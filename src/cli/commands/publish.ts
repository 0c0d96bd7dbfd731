import { type Command, Option } from 'commander';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';

interface PublishFlags {
  readonly dryRun?: boolean;
  readonly transfers: number;
  readonly verify: 'size' | 'full';
}

const EPILOGUE = `
A target is a directory, as a path with a slash in it or as file:///srv/www.

Example:
  update-repository publish /srv/images/mirror file:///srv/www
`;

/** Adds `publish`: makes other places have what a mirror has. */
export function definePublish(program: Command, accept: Accept): void {
  const command = program
    .command('publish')
    .summary('make other places have what a mirror has')
    .description(
      'Store what is new of a mirror in each target, files before the indexes that name them, so that readers find a ' +
        'whole mirror at every instant. What a target has of others stays. Nothing that was published is removed.',
    )
    .argument('<mirror>', 'the mirror')
    .argument('<target...>', 'where it goes')
    .option('--dry-run', 'show what would be stored; exits with 10 when there is something')
    .addOption(
      new Option('--transfers <n>', 'store so many files at once')
        .default(4)
        .argParser(optionValue('--transfers', parseCount)),
    )
    .addOption(
      new Option('--verify <how>', 'check what was stored by its size, or read all of it back')
        .choices(['size', 'full'])
        .default('size'),
    )
    .addHelpText('after', EPILOGUE);

  command.action((mirrorDir: string, targets: string[], flags: PublishFlags) =>
    accept(command, (session) => publishAll(mirrorDir, targets, flags, session)),
  );
}

async function publishAll(
  mirrorDir: string,
  targets: readonly string[],
  flags: PublishFlags,
  session: Session,
): Promise<ExitCode> {
  const { releaseOfMirror } = await import('../../images/mirror-release.js');
  const { openStorage } = await import('../../publish/open-storage.js');
  const { publish } = await import('../../publish/publish.js');
  const storages = await Promise.all(targets.map(openStorage));
  const release = await releaseOfMirror(mirrorDir);
  let somethingToDo = false;
  for (const storage of storages) {
    const summary = await publish(release, {
      mirror: mirrorDir,
      storage,
      dryRun: flags.dryRun ?? false,
      transfers: flags.transfers,
      verifyFull: flags.verify === 'full',
      signal: session.signal,
      onEvent: session.onEvent,
    });
    somethingToDo ||= summary.dryRun && summary.changed;
    await storage.close();
  }
  return somethingToDo ? EXIT.somethingToDo : EXIT.done;
}
