import { createInterface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import type { SessionOptions } from '../../client/session.js';
import { UpdateRepositoryError } from '../../errors.js';
import { formatBytes } from '../bytes.js';
import { addDeviceOptions, type DeviceFlags, deviceHooks, devicePlace } from '../device-flags.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { isFile } from '../is-file.js';
import { addMirrorOptions, type MirrorFlags, mirrorSource } from '../mirror-flags.js';
import { addPolicyOptions, type PolicyFlags, readPolicy } from '../policy-flags.js';
import { addTrustOptions, type TrustFlags, trustWish } from '../trust-flags.js';

interface UpdateFlags extends PolicyFlags, DeviceFlags, MirrorFlags, TrustFlags {
  readonly plan?: boolean;
  readonly check?: boolean;
  readonly notifyAgain?: boolean;
  readonly keepDeltas?: boolean;
}

const EPILOGUE = `
Examples:
  update-repository update https://images.example.org /srv/images
  update-repository update --plan --series puavo-os-acme-bookworm-amd64 \\
    https://images.example.org /srv/images
  update-repository update --check --notify 'logger "new: $UPDATE_REPOSITORY_VERSION"' \\
    https://images.example.org/meta/puavo-os-acme-bookworm-amd64.json
  update-repository update --layout puavo --fallback never \\
    --mirror https://mirror.school.example https://images.example.org /images
  update-repository update january.tar /images       without a network, by a file that bundle made
`;

/** Adds `update`: brings a device's image to the version that is wanted. */
export function defineUpdate(program: Command, accept: Accept): void {
  const command = program
    .command('update')
    .summary("bring this device's image up to date")
    .description(
      'Fetch what leads from the images that are here to the wanted version along the cheapest path, make the image, ' +
        'compare it, and make it the current one. Whatever fails, the current image stays, and what was fetched serves ' +
        'the next run.',
    )
    .argument('<url>', 'where the mirror is served, or one meta file of it; or a bundle, which needs no network')
    .argument('[dir]', "the device's directory of images", '.');
  addMirrorOptions(command, ' (default: that of the current image)')
    .addOption(new Option('--plan', 'show the ways there are; exits with 10 when there is something to do'))
    .addOption(
      new Option('--check', 'tell whether there is something new; exits with 10 when there is').conflicts('plan'),
    )
    .option('--notify-again', 'with --check, tell of a version that was told of before')
    .option('--keep-deltas', 'keep the deltas in rdiffs/; they are downloaded before they are applied');
  addPolicyOptions(addDeviceOptions(addTrustOptions(command))).addHelpText('after', EPILOGUE);

  command.action((url: string, dir: string, flags: UpdateFlags) =>
    accept(command, async (session) => {
      if (isBundle(url)) return await goByBundle(url, dir, flags, session);
      const options = await optionsOf(url, dir, flags, session);
      if (flags.check === true) return await check(options, flags.notifyAgain ?? false);
      if (flags.plan === true) return await plan(options);
      return await update(options, flags);
    }),
  );
}

async function optionsOf(
  url: string,
  dir: string,
  flags: UpdateFlags,
  { signal, onEvent }: Session,
): Promise<SessionOptions> {
  return {
    source: mirrorSource(url, flags),
    device: devicePlace(dir, flags),
    policy: await readPolicy(flags),
    trust: trustWish(flags),
    signal,
    onEvent,
  };
}

/** A URL is none, whatever is on the disk. */
function isBundle(text: string): boolean {
  return !/^https?:/i.test(text) && isFile(text);
}

async function goByBundle(path: string, dir: string, flags: UpdateFlags, session: Session): Promise<ExitCode> {
  refuseForBundle(path, flags);
  const { planFromBundle, updateFromBundle } = await import('../../client/bundle/update-from-bundle.js');
  const { series, plan = false, keepDeltas = false } = flags;
  const source = { path, ...(series === undefined ? {} : { series }) };
  const options = {
    source,
    device: devicePlace(dir, flags),
    policy: await readPolicy(flags),
    trust: trustWish(flags),
    ...session,
  };
  if (plan) return (await planFromBundle(options)) ? EXIT.somethingToDo : EXIT.done;
  await updateFromBundle({ ...options, hooks: deviceHooks(flags), keepDeltas });
  return EXIT.done;
}

/** What is about a mirror. */
function refuseForBundle(path: string, { check, mirror, ca, rateLimit }: UpdateFlags): void {
  const ofMirror = { '--check': check, '--mirror': mirror, '--ca': ca, '--rate-limit': rateLimit };
  const [flag] = Object.entries(ofMirror).find(([, value]) => value !== undefined) ?? [];
  if (flag === undefined) return;
  throw new UpdateRepositoryError('USAGE', `option ${flag}: expected the URL of a mirror, found the file ${path}`);
}

async function update(options: SessionOptions, flags: UpdateFlags): Promise<ExitCode> {
  const { updateDevice } = await import('../../client/update.js');
  const confirm = process.stdin.isTTY && process.stderr.isTTY ? { confirmWholeImage: askWholeImage } : {};
  await updateDevice({ ...options, hooks: deviceHooks(flags), keepDeltas: flags.keepDeltas ?? false, ...confirm });
  return EXIT.done;
}

async function plan(options: SessionOptions): Promise<ExitCode> {
  const { planDevice } = await import('../../client/update.js');
  return (await planDevice(options)) ? EXIT.somethingToDo : EXIT.done;
}

async function check(options: SessionOptions, notifyAgain: boolean): Promise<ExitCode> {
  const { checkDevice } = await import('../../client/update.js');
  return (await checkDevice(options, notifyAgain)).isNew ? EXIT.somethingToDo : EXIT.done;
}

async function askWholeImage(bytes: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(
      `No deltas lead there. Fetch the whole image, ${formatBytes(bytes)}? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    throw new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  } finally {
    terminal.close();
  }
}
