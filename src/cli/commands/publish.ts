import { type Command, Option } from 'commander';
import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { EventSink, PublishSummaryEvent } from '../../events.js';
import type { PublishOptions } from '../../publish/publish.js';
import type { S3Options } from '../../publish/s3/options.js';
import type { Storage } from '../../publish/storage.js';
import { parseSize } from '../bytes.js';
import { ChangedPaths, parseDistribution, requireBuckets, tellCloudFront } from '../cloudfront.js';
import { eachTarget, type NamedTarget } from '../each-target.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';
import { addStorageOptions, RETRIES, type StorageFlags, s3Options } from '../storage-flags.js';

interface PublishFlags extends StorageFlags {
  readonly dryRun?: boolean;
  readonly transfers: number;
  readonly verify: 'size' | 'full';
  readonly bwlimit?: number;
  readonly rollback?: boolean;
  readonly cloudfront?: string;
  readonly after?: string;
  readonly s3StorageClass?: string;
  readonly s3Acl?: string;
  readonly s3Sse?: string;
}

const EPILOGUE = `
A target is one of
  /srv/www, file:///srv/www          a directory; a path needs a slash in it
  s3://bucket/prefix                 a bucket; credentials, profile and region
                                     come from where all AWS tools have them
  https://host/path                  a web server that takes WebDAV or PUT; a
                                     password comes from ~/.netrc
  user@host:path, ssh://host/path    rsync over ssh
  rsync://host/module, host::module  an rsync daemon

Examples:
  update-repository publish /srv/images/mirror file:///srv/www
  update-repository publish --endpoint https://ceph.example.org --path-style \\
    /srv/images/mirror s3://images/puavo
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
    .addOption(
      new Option('--cloudfront <id>', 'ask this CloudFront distribution to forget the indexes that changed').argParser(
        optionValue('--cloudfront', parseDistribution),
      ),
    )
    .option('--after <command>', 'run a command by the shell for each target that has something new')
    .option('--rollback', 'publish again what was published before the last time');
  addStorageOptions(command)
    .option('--s3-storage-class <class>', 'storage class of what is stored in S3, such as STANDARD_IA')
    .option('--s3-acl <acl>', 'canned ACL of what is stored in S3, such as public-read')
    .option('--s3-sse <how>', 'how the S3 server encrypts what it stores: AES256 or aws:kms')
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
  const { stateCopyOf } = await import('../../publish/state-copy.js');
  const release = await releaseOfMirror(mirror, session.onEvent);
  return await toEach(targets, flags, session, (options) =>
    publish(release, { mirror, copy: stateCopyOf(mirror, options.storage), ...options }),
  );
}

async function rollBackAll(targets: readonly string[], flags: PublishFlags, session: Session): Promise<ExitCode> {
  const { rollBack } = await import('../../publish/rollback.js');
  return await toEach(targets, flags, session, (options) => rollBack({ mirror: options.storage.name, ...options }));
}

type OpenedTarget = NamedTarget &
  ({ readonly address: string; readonly storage: Storage } | { readonly failure: unknown });

async function openTarget(address: string, s3: S3Options, { signal, onEvent }: Session): Promise<OpenedTarget> {
  const { openStorage } = await import('../../publish/open-storage.js');
  const tell: EventSink = (event) => onEvent({ ...event, target: address });
  try {
    const storage = await openStorage(address, { retries: { ...RETRIES, onEvent: tell }, signal, s3 });
    return { name: storage.name, address, storage };
  } catch (failure) {
    if (hasCode(failure, 'USAGE') || signal.aborted) throw failure;
    return { name: address, failure };
  }
}

/**
 * One after the other: each has all the bandwidth. All of them are opened before anything is stored, so that a mistake in
 * an address stops all; one that cannot be reached is told when its turn comes.
 */
async function toEach(
  targets: readonly string[],
  flags: PublishFlags,
  session: Session,
  publishTo: (options: Omit<PublishOptions, 'mirror'>) => Promise<PublishSummaryEvent>,
): Promise<ExitCode> {
  const { runAfter } = await import('../after.js');
  const { RateLimit } = await import('../../net/rate-limit.js');
  const { signal } = session;
  const { dryRun = false, transfers, verify, bwlimit, cloudfront, after } = flags;
  if (cloudfront !== undefined) requireBuckets(targets);
  const limit = bwlimit === undefined ? null : new RateLimit(bwlimit);
  const s3 = { ...s3Options(flags), ...s3ObjectOptions(flags) };
  const opened: OpenedTarget[] = [];
  let somethingToDo = false;
  try {
    for (const target of targets) opened.push(await openTarget(target, s3, session));
    await eachTarget(opened, session, async (target, onEvent) => {
      if ('failure' in target) throw target.failure;
      const { storage, address } = target;
      const changed = new ChangedPaths();
      const options = { storage, dryRun, transfers, verifyFull: verify === 'full', limit, signal };
      const summary = await publishTo({ ...options, onEvent: changed.listen(onEvent) });
      somethingToDo ||= summary.dryRun && summary.changed;
      if (cloudfront !== undefined) await tellCloudFront(cloudfront, address, changed, { signal, onEvent });
      if (after !== undefined && summary.changed && !summary.dryRun) await runAfter(after, summary, signal);
    });
    return somethingToDo ? EXIT.somethingToDo : EXIT.done;
  } finally {
    for (const target of opened) if ('storage' in target) await target.storage.close();
  }
}

function s3ObjectOptions({ s3StorageClass, s3Acl, s3Sse }: PublishFlags) {
  return {
    ...(s3StorageClass === undefined ? {} : { storageClass: s3StorageClass }),
    ...(s3Acl === undefined ? {} : { acl: s3Acl }),
    ...(s3Sse === undefined ? {} : { serverSideEncryption: s3Sse }),
  };
}
