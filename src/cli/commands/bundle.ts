import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import { type ImageVersion, VERSION_FORM } from '../../metadata/brands.js';
import { describeValue } from '../../metadata/describe-value.js';
import { readVersion } from '../../metadata/image-name.js';
import { parseSize } from '../bytes.js';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { addMirrorOptions, type MirrorFlags, mirrorSource } from '../mirror-flags.js';
import { optionValue } from '../option-value.js';
import { requireWritable } from '../output-path.js';

interface BundleFlags extends MirrorFlags {
  readonly output: string;
  readonly force?: boolean;
  readonly rateLimit?: number;
  readonly trust?: string;
}

const EPILOGUE = `
Examples:
  update-repository bundle -o january.tar https://images.example.org 20211203093000 20220117120001
  update-repository bundle --trust root.json -o january.tar \\
    https://images.example.org 20211203093000 20220117120001
  update-repository bundle -o whole.tar https://images.example.org none 20220117120001
  update-repository update january.tar /images       on the device, which needs no network
`;

/** Adds `bundle`: the path from one version to another as one file. */
export function defineBundle(program: Command, accept: Accept): void {
  const command = program
    .command('bundle')
    .summary('make one file that brings devices from one version to another')
    .description(
      'Fetch what leads from one version to another by the fewest bytes, and write it as one file, for devices ' +
        'without a network: `update` takes it in place of a URL. It is complete when it appears under its name.',
    )
    .argument('<url>', 'where the mirror is served, or one meta file of it')
    .argument('<from>', 'the version that the devices have, or none')
    .argument('<to>', 'the version that they are to have')
    .requiredOption('-o, --output <file>', 'where the bundle goes')
    .option('-f, --force', 'replace an existing file')
    .option('--trust <file>', 'verify by this root of TUF metadata what is fetched, and have devices do the same');
  addMirrorOptions(command)
    .addOption(
      new Option('--rate-limit <rate>', 'download no more than so many bytes a second, such as 2M').argParser(
        optionValue('--rate-limit', parseSize),
      ),
    )
    .addHelpText('after', EPILOGUE);

  command.action((url: string, from: string, to: string, flags: BundleFlags) => {
    const wanted = { from: from === 'none' ? null : requireVersion(from, ', or none'), to: requireVersion(to) };
    accept(command, async (session) => {
      const output = { path: flags.output, force: flags.force ?? false };
      requireWritable(output.path, output);
      const { makeBundle } = await import('../../client/bundle/make-bundle.js');
      const source = mirrorSource(url, flags);
      const root = flags.trust === undefined ? {} : { rootPath: flags.trust };
      await makeBundle(wanted, { source, ...root, limitBytesPerSecond: flags.rateLimit ?? null, output, ...session });
      return EXIT.done;
    });
  });
}

function requireVersion(text: string, orElse = ''): ImageVersion {
  const version = readVersion(text);
  if (version !== null) return version;
  throw new UpdateRepositoryError('USAGE', `expected ${VERSION_FORM}${orElse}, found ${describeValue(text)}`);
}
