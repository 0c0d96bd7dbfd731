import type { Command } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { VerifySummaryEvent } from '../../events.js';
import { EXIT } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { chooseResources, type ResourceFlags, resourceOptions } from '../resources.js';

interface VerifyFlags extends ResourceFlags {
  readonly deep?: boolean;
  readonly trust?: string;
}

/** Adds `verify`: every file of a mirror against every checksum that names it. */
export function defineVerify(program: Command, accept: Accept): void {
  const command = program
    .command('verify')
    .summary('check every file of a mirror')
    .description(
      'Check every file of a mirror against every index and checksum that names it. Nothing is written. ' +
        'Exits with 3 when something is wrong. Of a signed mirror its metadata is verified, too.',
    )
    .argument('<mirror>', 'the mirror, or the URL where it is served: then everything is downloaded')
    .option('--deep', 'apply every delta too, and compare what comes out')
    .option('--trust <file>', 'the metadata has to go back to this root')
    .addHelpText('after', '\nExample:\n  update-repository verify --deep /srv/images/mirror\n');
  for (const option of resourceOptions()) command.addOption(option);

  command.action((mirrorDir: string, flags: VerifyFlags) =>
    accept(command, async (session) => {
      const { isWebAddress } = await import('../../images/served-mirror.js');
      const summary = isWebAddress(mirrorDir)
        ? await verifyServed(mirrorDir, flags, session)
        : await verifyLocal(mirrorDir, flags, session);
      return summary.errors > 0 ? EXIT.verification : EXIT.done;
    }),
  );
}

async function verifyLocal(mirrorDir: string, flags: VerifyFlags, session: Session): Promise<VerifySummaryEvent> {
  const { verifyMirror } = await import('../../images/verify.js');
  const [deep, resources] = [flags.deep ?? false, chooseResources(flags)];
  return await verifyMirror({ mirrorDir, deep, trustedRoot: await trustedRoot(flags), resources, ...session });
}

async function verifyServed(url: string, flags: VerifyFlags, session: Session): Promise<VerifySummaryEvent> {
  if (flags.deep === true) {
    throw new UpdateRepositoryError('USAGE', `${url}: expected a directory with --deep, found a URL`, {
      hint: 'verify the mirror itself with --deep, and the URL without it',
    });
  }
  const { verifyUrl } = await import('../../images/verify-url.js');
  const transfers = chooseResources(flags).jobs;
  return await verifyUrl({ url, transfers, trustedRoot: await trustedRoot(flags), ...session });
}

async function trustedRoot({ trust }: VerifyFlags): Promise<string | undefined> {
  if (trust === undefined) return undefined;
  const { readRootFile } = await import('../../trust/tuf/root-file.js');
  const { parseEnvelope } = await import('../../trust/tuf/parse-document.js');
  return await readRootFile(trust, (text, path) => parseEnvelope('root', text, path));
}
