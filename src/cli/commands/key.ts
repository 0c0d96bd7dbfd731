import { type Command, Option } from 'commander';
import { UpdateRepositoryError } from '../../errors.js';
import type { KeySummaryEvent } from '../../events.js';
import type { KeyWork, MirrorKeys } from '../../images/mirror-keys.js';
import { isSha256Hex } from '../../metadata/brands.js';
import type { KeyId } from '../../trust/tuf/documents.js';
import { lifetimesOf } from '../../trust/tuf/lifetimes.js';
import { isKeyRole, KEY_ROLES, type KeyRole } from '../../trust/tuf/role-names.js';
import { EXIT } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { type LifetimeFlags, lifetimeOption } from '../lifetime-option.js';
import { parseCount } from '../numbers.js';
import { optionValue } from '../option-value.js';
import { requireWritable } from '../output-path.js';
import { askPassphrase, openKeys, type PassphraseFlags, passphraseOption } from '../sign-flags.js';
import { definePgp } from './key-pgp.js';

interface InitFlags extends PassphraseFlags, LifetimeFlags {
  readonly mirror?: string;
  readonly type: 'ed25519' | 'ecdsa';
  readonly rootKeys: number;
  readonly threshold: number;
}

interface ExportFlags extends PassphraseFlags {
  readonly root?: string;
  readonly mirror?: string;
  readonly to?: string;
  readonly private?: readonly KeyRole[];
  readonly pem?: boolean;
}

interface ChangeFlags extends PassphraseFlags, LifetimeFlags {
  readonly mirror: string;
  readonly drafts?: string;
}

/** Whose metadata people sign. */
const OFFLINE_ROLES: readonly KeyRole[] = ['root', 'targets'];

const EPILOGUE = `
Examples:
  update-repository key init --mirror /srv/www /srv/keys      all keys in one place, and signed metadata
  update-repository key export --to /mnt/online --private snapshot,timestamp,series,mirror /srv/keys
  update-repository key export --root root.json /srv/keys     what devices are given
  update-repository key rotate --role timestamp --mirror /srv/www --drafts /mnt/drafts /srv/online
  update-repository key sign --keys /srv/keys /mnt/drafts     on the machine of the root key
  update-repository key sign --keys /srv/online --mirror /srv/www /mnt/drafts
  update-repository key pgp-init --user-id 'Images of ACME' /srv/acme.asc
`;

/** Adds `key` with its subcommands: makes, lists, copies and changes the keys of a mirror. */
export function defineKey(program: Command, accept: Accept): void {
  const key = program
    .command('key')
    .summary('make, list, copy and change the keys that sign a mirror')
    .description(
      "Make, list, copy and change the keys that sign a mirror's TUF metadata, and make the OpenPGP key of its lists.",
    )
    .usage('<init|list|export|rotate|revoke|renew|sign|pgp-init|pgp-export> [options] <keys>')
    .helpCommand(false)
    .addHelpText('after', EPILOGUE);
  defineInit(key, accept);
  defineList(key, accept);
  defineExport(key, accept);
  defineRotate(key, accept);
  defineRevoke(key, accept);
  defineRenew(key, accept);
  defineSign(key, accept);
  definePgp(key, accept);
}

function defineInit(key: Command, accept: Accept): void {
  const command = key
    .command('init')
    .description(
      'Make the keys of all roles, locked by a passphrase, with the first root and targets beside them; and, of a mirror, ' +
        'the first metadata.',
    )
    .argument('<keys>', 'the directory to make')
    .option('--mirror <mirror>', 'sign this mirror as it is')
    .addOption(new Option('--type <type>', 'the kind of the keys').choices(['ed25519', 'ecdsa']).default('ed25519'))
    .addOption(countOption('--root-keys <n>', 'so many keys of root'))
    .addOption(countOption('--threshold <k>', 'how many of them have to sign'))
    .addOption(lifetimeOption(OFFLINE_ROLES))
    .addOption(passphraseOption());
  command.action((keys: string, flags: InitFlags) =>
    accept(command, async ({ signal, onEvent }) => {
      const { makeKeys } = await import('../../trust/tuf/make-keys.js');
      const { KeyRing } = await import('../../trust/tuf/key-ring.js');
      const { requireEmptyDirectory } = await import('../../io/empty-directory.js');
      const { startMetadata } = await import('../../images/mirror-keys.js');
      const { mirror, expires: lifetimes = {} } = flags;
      await requireEmptyDirectory(keys);
      const passphrase = await askPassphrase(`the keys in ${keys}`, true, flags, signal);
      const files = await makeKeys(keys, flags, passphrase, { lifetimes: lifetimesOf(lifetimes), now: new Date() });
      const ring = await KeyRing.open(keys, passphrase);
      const published =
        mirror === undefined ? [] : await startMetadata({ mirrorDir: mirror, ring, lifetimes, onEvent });
      onEvent(summaryOf('init', keys, { files, published, missing: [] }));
      return EXIT.done;
    }),
  );
}

function defineList(key: Command, accept: Accept): void {
  const command = key
    .command('list')
    .description("Show the keys of a directory, and until when a mirror's metadata is good.")
    .argument('<keys>', 'the directory of keys')
    .option('--mirror <mirror>', 'show the metadata of this mirror too');
  command.action((keys: string, { mirror }: { readonly mirror?: string }) =>
    accept(command, async ({ onEvent }) => {
      const { KeyRing } = await import('../../trust/tuf/key-ring.js');
      const { expiriesOf } = await import('../../images/mirror-keys.js');
      const ring = await KeyRing.open(keys, null);
      const entries = ring.files.map(({ id, publicKey, roles, sealed }) => {
        return { keyid: id, keytype: publicKey.keytype, roles, secret: sealed !== null };
      });
      const expiries = mirror === undefined ? [] : await expiriesOf({ mirrorDir: mirror, ring, onEvent });
      onEvent({ type: 'key-list', keys, entries, expiries });
      return EXIT.done;
    }),
  );
}

function defineExport(key: Command, accept: Accept): void {
  const command = key
    .command('export')
    .description(
      'Write the root that devices are given, or a copy of the keys: of those for the roles of --private their secret ' +
        'halves, as encrypted as they are, of all others the public ones.',
    )
    .argument('<keys>', 'the directory of keys')
    .option('--root <file>', 'write the root: the first one, or the newest of --mirror')
    .option('--mirror <mirror>', 'with --root: of this mirror')
    .option('--to <dir>', 'copy the keys into this new directory')
    .option(
      '--private <roles>',
      'with --to: the secret halves for these roles too',
      optionValue('--private', parseRoles),
    )
    .option('--pem', 'with --private: as PEM files that nothing encrypts, for UPDATE_REPOSITORY_PRIVATE_KEYS')
    .addOption(passphraseOption());
  command.action((keys: string, flags: ExportFlags) =>
    accept(command, async ({ signal, onEvent }) => {
      const { root, mirror, to } = flags;
      requireExport(flags);
      const { KeyRing } = await import('../../trust/tuf/key-ring.js');
      const { exportKeys } = await import('../../trust/tuf/export-keys.js');
      const { newestRoot } = await import('../../images/mirror-keys.js');
      const { writeFileAtomic } = await import('../../io/atomic-file.js');
      const form = flags.pem === true ? 'pem' : 'encrypted';
      const ring = form === 'pem' ? await openKeys(keys, flags, signal) : await KeyRing.open(keys, null);
      const files: string[] = [];
      if (root !== undefined) {
        requireWritable(root, { force: false });
        await writeFileAtomic(root, await newestRoot(ring, mirror ?? null), `${root}.new`);
        files.push(root);
      }
      if (to !== undefined) files.push(...(await exportKeys(ring, to, flags.private ?? [], form)));
      onEvent(summaryOf('export', keys, { files, published: [], missing: [] }));
      return EXIT.done;
    }),
  );
}

function defineRotate(key: Command, accept: Accept): void {
  const command = key
    .command('rotate')
    .description('Put a new key in the place of the key of a role, in all the roles that it has.')
    .argument('<keys>', 'the directory of keys')
    .addOption(new Option('--role <role>', 'the role').choices(KEY_ROLES).makeOptionMandatory())
    .option('--key <id>', 'which of its keys, where there are several', optionValue('--key', parseKeyId));
  type RotateFlags = ChangeFlags & { readonly role: KeyRole; readonly key?: KeyId };
  defineChange(command, accept, 'rotate', async (place, flags: RotateFlags) => {
    const { rotateKey } = await import('../../images/mirror-keys.js');
    return await rotateKey(place, { role: flags.role, keyid: flags.key ?? null }, flags.drafts ?? null);
  });
}

function defineRevoke(key: Command, accept: Accept): void {
  const command = key
    .command('revoke')
    .description('Take a key out of all its roles; their other keys have to suffice.')
    .argument('<keys>', 'the directory of keys')
    .addOption(new Option('--key <id>', 'which key').argParser(optionValue('--key', parseKeyId)).makeOptionMandatory());
  type RevokeFlags = ChangeFlags & { readonly key: KeyId };
  defineChange(command, accept, 'revoke', async (place, { key: keyid, drafts }: RevokeFlags) => {
    const { revokeKey } = await import('../../images/mirror-keys.js');
    return await revokeKey(place, keyid, drafts ?? null);
  });
}

function defineRenew(key: Command, accept: Accept): void {
  const command = key
    .command('renew')
    .description('Make root and targets anew before they expire, by the keys that they have.')
    .argument('<keys>', 'the directory of keys');
  defineChange(command, accept, 'renew', async (place, { drafts }: ChangeFlags) => {
    const { renewKeys } = await import('../../images/mirror-keys.js');
    return await renewKeys(place, drafts ?? null);
  });
}

function defineSign(key: Command, accept: Accept): void {
  const command = key
    .command('sign')
    .description('Sign the drafts of a key change with the keys at hand; with --mirror publish them.')
    .argument('<drafts>', 'the directory of the drafts')
    .requiredOption('--keys <keys>', 'the directory of keys')
    .option('--mirror <mirror>', 'publish them here, complete')
    .addOption(passphraseOption());
  command.action((drafts: string, flags: PassphraseFlags & { readonly keys: string; readonly mirror?: string }) =>
    accept(command, async ({ signal, onEvent }: Session) => {
      const { signDraftDirectory } = await import('../../images/mirror-keys.js');
      const ring = await openKeys(flags.keys, flags, signal);
      const work = await signDraftDirectory(drafts, ring, flags.mirror ?? null, onEvent);
      onEvent(summaryOf('sign', flags.keys, work));
      return EXIT.done;
    }),
  );
}

/** What a change of keys has, whatever the change: its options, the keys that sign it, and its summary. */
function defineChange<Flags extends ChangeFlags>(
  command: Command,
  accept: Accept,
  action: 'rotate' | 'revoke' | 'renew',
  change: (place: MirrorKeys, flags: Flags) => Promise<KeyWork>,
): void {
  command
    .requiredOption('--mirror <mirror>', 'the mirror, or with --drafts a copy of its metadata/')
    .option('--drafts <dir>', 'write the new root or targets here, to be signed on other machines, and publish nothing')
    .addOption(lifetimeOption(OFFLINE_ROLES))
    .addOption(passphraseOption())
    .action((keys: string, flags: Flags) =>
      accept(command, async ({ signal, onEvent }) => {
        const ring = await openKeys(keys, flags, signal);
        const place = { mirrorDir: flags.mirror, ring, lifetimes: flags.expires, onEvent };
        onEvent(summaryOf(action, keys, await change(place, flags)));
        return EXIT.done;
      }),
    );
}

function countOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(optionValue(flags.split(' ')[0] ?? flags, parseCount)).default(1);
}

function summaryOf(
  action: KeySummaryEvent['action'],
  keys: string,
  work: Pick<KeySummaryEvent, 'files' | 'published' | 'missing'>,
): KeySummaryEvent {
  const { files, published, missing } = work;
  return { type: 'key-summary', action, keys, files, published, missing };
}

function requireExport({ root, mirror, to, private: roles, pem }: ExportFlags): void {
  const fault =
    root === undefined && to === undefined
      ? 'expected --root or --to, found neither'
      : mirror !== undefined && root === undefined
        ? "option '--mirror' needs '--root'"
        : roles !== undefined && to === undefined
          ? "option '--private' needs '--to'"
          : pem === true && roles === undefined
            ? "option '--pem' needs '--private'"
            : null;
  if (fault !== null) throw new UpdateRepositoryError('USAGE', fault);
}

function parseRoles(text: string): KeyRole[] {
  return text.split(',').map((role) => {
    if (isKeyRole(role)) return role;
    throw new UpdateRepositoryError('USAGE', `expected roles out of ${KEY_ROLES.join(',')}, found '${role}'`);
  });
}

function parseKeyId(text: string): KeyId {
  if (isSha256Hex(text)) return text;
  throw new UpdateRepositoryError('USAGE', `expected a key id of 64 hex digits, found '${text}'`);
}
