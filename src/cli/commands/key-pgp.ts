import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { KeyAlgorithm } from '../../trust/openpgp/generate-key.js';
import { parseDuration } from '../durations.js';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';
import { optionValue } from '../option-value.js';
import { requireWritable } from '../output-path.js';
import { askPassphrase, type PassphraseFlags, passphraseOption } from '../sign-flags.js';

interface InitFlags extends PassphraseFlags {
  readonly userId: string;
  readonly type: KeyAlgorithm;
  readonly expires?: number;
}

const TYPES: readonly KeyAlgorithm[] = ['ed25519', 'rsa3072', 'rsa4096'];

/** Adds `key pgp-init` and `key pgp-export`: the OpenPGP key that signs the lists of a mirror. */
export function definePgp(key: Command, accept: Accept): void {
  defineInit(key, accept);
  defineExport(key, accept);
}

function defineInit(key: Command, accept: Accept): void {
  const command = key
    .command('pgp-init')
    .description('Make an OpenPGP key that signs the lists of a mirror, locked by a passphrase, in a new file.')
    .argument('<file>', 'the file to make')
    .requiredOption('--user-id <name>', "whose key it is, such as 'Images of ACME'")
    .addOption(new Option('--type <type>', 'the kind of the key').choices(TYPES).default('ed25519'))
    .addOption(
      new Option('--expires <duration>', 'how long it is good, such as 104w (default: for ever)').argParser(
        optionValue('--expires', parseLifetime),
      ),
    )
    .addOption(passphraseOption());
  command.action((file: string, { userId, type, expires, ...flags }: InitFlags) =>
    accept(command, async ({ signal, onEvent }) => {
      // Who has to choose another name is told so before being asked for a passphrase.
      requireWritable(file, { force: false });
      const { generateSecretKey } = await import('../../trust/openpgp/generate-key.js');
      const passphrase = await askPassphrase(`the key ${file}`, true, flags, signal);
      const created = new Date();
      const { fingerprint } = await generateSecretKey(file, {
        algorithm: type,
        userId,
        created,
        expires: expires === undefined ? null : new Date(created.getTime() + expires),
        passphrase,
      });
      onEvent({ ...NOTHING_ELSE, action: 'pgp-init', keys: file, files: [file], fingerprint });
      return EXIT.done;
    }),
  );
}

function defineExport(key: Command, accept: Accept): void {
  const command = key
    .command('pgp-export')
    .description(
      'Write the public half of such a key, for gpg --import and as a keyring for gpgv; no passphrase is needed.',
    )
    .argument('<file>', 'the file of the secret key')
    .requiredOption('--to <file>', 'the file to make: armored where its name ends in .asc, else binary');
  command.action((file: string, { to }: { readonly to: string }) =>
    accept(command, async ({ onEvent }) => {
      requireWritable(to, { force: false });
      const { readPublicHalf } = await import('../../trust/openpgp/key-signer.js');
      const { writeFileAtomic } = await import('../../io/atomic-file.js');
      const { binary, armored, fingerprint } = await readPublicHalf(file);
      await writeFileAtomic(to, to.endsWith('.asc') ? armored : binary, `${to}.new`);
      onEvent({ ...NOTHING_ELSE, action: 'pgp-export', keys: file, files: [to], fingerprint });
      return EXIT.done;
    }),
  );
}

const NOTHING_ELSE = { type: 'key-summary', published: [], missing: [] } as const;

function parseLifetime(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds > 0) return milliseconds;
  throw new UpdateRepositoryError('USAGE', `expected a duration above 0, found '${text}'`);
}
