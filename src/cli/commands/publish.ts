import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { S3Options } from '../../publish/s3/options.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';

interface PublishFlags {
  readonly dryRun?: boolean;
  readonly transfers: number;
  readonly verify: 'size' | 'full';
  readonly endpoint?: string;
  readonly pathStyle?: boolean;
  readonly s3StorageClass?: string;
  readonly s3Acl?: string;
  readonly s3Sse?: string;
}

const EPILOGUE = `
A target is a directory, as a path with a slash in it or as file:///srv/www, or a
bucket, s3://bucket/prefix. S3 takes its credentials, profile and region from
where all AWS tools have them: AWS_PROFILE, AWS_REGION, ~/.aws and so on.

Examples:
  update-repository publish /srv/images/mirror file:///srv/www
  update-repository publish --endpoint https://ceph.example.org --path-style \\
    /srv/images/mirror s3://images/puavo
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
    .addOption(new Option('--endpoint <url>', "the S3 server, where it is not Amazon's").argParser(endpointValue))
    .option('--path-style', 'name the bucket in the path of S3 requests, not in the host name')
    .option('--s3-storage-class <class>', 'storage class of what is stored in S3, such as STANDARD_IA')
    .option('--s3-acl <acl>', 'canned ACL of what is stored in S3, such as public-read')
    .option('--s3-sse <how>', 'how the S3 server encrypts what it stores: AES256 or aws:kms')
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
  const release = await releaseOfMirror(mirrorDir);
  const options = { readOnly: flags.dryRun ?? false, signal: session.signal, s3: s3Options(flags) };
  const storages = await Promise.all(targets.map((target) => openStorage(target, options)));
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

const endpointValue = optionValue('--endpoint', (text) => {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url?.username === '' && url.password === '') return text;
  const found = url === null ? `'${text}'` : 'one with credentials';
  throw new UpdateRepositoryError('USAGE', `expected a URL such as https://s3.example.org, found ${found}`);
});

function s3Options({ endpoint, pathStyle, s3StorageClass, s3Acl, s3Sse }: PublishFlags): S3Options {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
    ...(s3StorageClass === undefined ? {} : { storageClass: s3StorageClass }),
    ...(s3Acl === undefined ? {} : { acl: s3Acl }),
    ...(s3Sse === undefined ? {} : { serverSideEncryption: s3Sse }),
  };
}
