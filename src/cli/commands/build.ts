import { join } from 'node:path';
import type { Command } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { Passphrase } from '../../trust/passphrase.js';
import type { KeyRing } from '../../trust/tuf/key-ring.js';
import { type BuildFlags, buildFlagOptions } from '../build-flags.js';
import { planRequest } from '../build-request.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { isDirectory } from '../is-directory.js';
import { findListSigner } from '../pgp-flags.js';
import { chooseResources } from '../resources.js';
import { keysDirectory, openKeys, passphraseOnce } from '../sign-flags.js';

const EPILOGUE = `
Delta policies:
  neighbours  from each image to the next, and from the newest back to the one before it
  puavo       into each of the last three images from all others, as Puavo's own producer does
  all         between any two images, both ways
  latest:N    into the newest image from each of the N images before it
  none        no deltas

Example:
  update-repository build --base-url https://images.example.org --prune /srv/images /srv/www
`;

/** Adds `build`, which is also what a line that begins with a directory means. */
export function defineBuild(program: Command, accept: Accept): void {
  const command = program
    .command('build', { isDefault: true })
    .summary('build or refresh a mirror; the word can be left out')
    .description(
      'Build the mirror of a directory of images, or bring it up to date: links, deltas, checksums and indexes. ' +
        'A build that is stopped leaves the mirror as valid as it was, and the next one goes on from there.',
    )
    .argument('<images>', 'the directory with the images')
    .argument('[mirror]', 'the mirror (default: the directory "mirror" in <images>)')
    .addHelpText('after', EPILOGUE);
  for (const option of buildFlagOptions()) command.addOption(option);

  command.action((imagesDir: string, mirrorDir: string | undefined, flags: BuildFlags) =>
    accept(command, async (session) => {
      requireImagesDirectory(imagesDir);
      return await build(imagesDir, mirrorDir ?? join(imagesDir, 'mirror'), flags, session);
    }),
  );
}

async function build(imagesDir: string, mirrorDir: string, flags: BuildFlags, session: Session): Promise<ExitCode> {
  const { settings, notes } = planRequest(flags, isDirectory);
  for (const note of notes) session.onEvent(note);
  const resources = chooseResources(flags);
  const directory = flags.sign === false ? null : await keysDirectory(flags.sign, mirrorDir, session.onEvent);
  const ask = passphraseOnce({ ...flags, keysDir: directory }, session.signal);
  const sign = await keysOf(directory, flags, session, ask);
  const signLists = flags.pgp === false ? 'none' : await findListSigner(flags, ask, session.signal);
  const { buildMirror } = await import('../../images/build.js');
  const summary = await buildMirror({ imagesDir, mirrorDir, resources, sign, signLists, ...settings, ...session });
  if (summary.failures > 0) return EXIT.failed;
  return summary.dryRun && summary.changed ? EXIT.somethingToDo : EXIT.done;
}

/** A dry run signs nothing, and asks for no passphrase. */
async function keysOf(
  directory: string | null,
  flags: BuildFlags,
  { signal }: Session,
  ask: () => Promise<Passphrase>,
): Promise<KeyRing | null | undefined> {
  if (flags.sign === false) return null;
  if (directory === null) return undefined;
  if (flags.dryRun !== true) return await openKeys(directory, flags, signal, ask);
  const { KeyRing } = await import('../../trust/tuf/key-ring.js');
  return await KeyRing.open(directory, null);
}

function requireImagesDirectory(path: string): void {
  if (isDirectory(path)) return;
  throw new UpdateRepositoryError('USAGE', `${path}: expected the directory with the images, found no such directory`, {
    data: { path },
  });
}
