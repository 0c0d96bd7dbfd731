import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { PublishSummaryEvent } from '../../events.js';
import type { PublishOptions } from '../../publish/publish.js';
import type { Release } from '../../publish/release.js';
import { parseSize } from '../bytes.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';

interface PublishFlags {
  readonly dryRun?: boolean;
  readonly transfers: number;
  readonly verify: 'size' | 'full';
  readonly bwlimit?: number;
  readonly rollback?: boolean;
  readonly after?: string;
}

/** Some half a minute in all. */
const RETRIES = { attempts: 6, firstPauseMs: 1000 };

const EPILOGUE = `
A target is a directory, as a path with a slash in it or as file:///srv/www.

Examples:
  update-repository publish /srv/images/mirror file:///srv/www
  update-repository publish --rollback file:///srv/www
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
    .usage('[options] <mirror> <target...>\n       update-repository publish --rollback [options] <target...>')
    .argument('<mirror>', 'the mirror')
    .argument('[target...]', 'where it goes')
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
    .addOption(
      new Option('--bwlimit <rate>', 'move no more than so many bytes a second, such as 20M').argParser(
        optionValue('--bwlimit', parseSize),
      ),
    )
    .option('--after <command>', 'run a command by the shell for each target that has something new')
    .option('--rollback', 'publish again what was published before the last time')
    .addHelpText('after', EPILOGUE);

  command.action((mirror: string, targets: string[], flags: PublishFlags) =>
    accept(command, async (session) => {
      if (flags.rollback === true) return await rollBackAll([mirror, ...targets], flags, session);
      if (targets.length > 0) return await publishAll(mirror, targets, flags, session);
      throw new UpdateRepositoryError('USAGE', `${mirror}: expected where it is to be published, found nothing`, {
        hint: 'name a target, such as file:///srv/www',
      });
    }),
  );
}

async function publishAll(
  mirror: string,
  targets: readonly string[],
  flags: PublishFlags,
  session: Session,
): Promise<ExitCode> {
  const { releaseOfMirror } = await import('../../images/mirror-release.js');
  const { publish } = await import('../../publish/publish.js');
  let release: Release | undefined;
  return await toEach(targets, flags, session, async (options) => {
    release ??= await releaseOfMirror(mirror);
    return await publish(release, { mirror, ...options });
  });
}

async function rollBackAll(targets: readonly string[], flags: PublishFlags, session: Session): Promise<ExitCode> {
  const { rollBack } = await import('../../publish/rollback.js');
  return await toEach(targets, flags, session, (options) => rollBack({ mirror: options.storage.name, ...options }));
}

/** One after the other: each has all the bandwidth. All addresses are understood before anything is stored. */
async function toEach(
  targets: readonly string[],
  { dryRun = false, transfers, verify, bwlimit, after }: PublishFlags,
  { signal, onEvent }: Session,
  publishTo: (options: Omit<PublishOptions, 'mirror'>) => Promise<PublishSummaryEvent>,
): Promise<ExitCode> {
  const { openStorage } = await import('../../publish/open-storage.js');
  const { runAfter } = await import('../after.js');
  const { RateLimit } = await import('../../publish/rate-limit.js');
  const { withRetries } = await import('../../publish/retry.js');
  const limit = bwlimit === undefined ? null : new RateLimit(bwlimit);
  const storages = await Promise.all(targets.map(openStorage));
  let somethingToDo = false;
  for (const opened of storages) {
    const storage = withRetries(opened, { ...RETRIES, onEvent });
    const options = { storage, dryRun, transfers, verifyFull: verify === 'full', limit, signal, onEvent };
    const summary = await publishTo(options);
    await storage.close();
    somethingToDo ||= summary.dryRun && summary.changed;
    if (after !== undefined && summary.changed && !summary.dryRun) await runAfter(after, summary, signal);
  }
  return somethingToDo ? EXIT.somethingToDo : EXIT.done;
}
