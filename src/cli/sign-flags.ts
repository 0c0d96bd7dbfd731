import { Option } from 'commander';
import { UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { PRIVATE_KEYS_VARIABLE } from '../io/child-environment.js';
import type { Passphrase } from '../trust/passphrase.js';
import type { KeyRing } from '../trust/tuf/key-ring.js';
import { optionValue } from './option-value.js';

/** How a passphrase reaches a command. */
export interface PassphraseFlags {
  readonly passphraseFd?: number;
}

/** The keys by which a command signs. */
export interface SignFlags extends PassphraseFlags {
  /** False with `--no-sign`. */
  readonly sign?: string | false;
}

/** The option `--passphrase-fd` of the commands that open or make keys. */
export function passphraseOption(): Option {
  return new Option(
    '--passphrase-fd <n>',
    'read the passphrase of the keys from this file descriptor (default: UPDATE_REPOSITORY_PASSPHRASE, or a prompt)',
  ).argParser(optionValue('--passphrase-fd', parseDescriptor));
}

/** The options of the commands that sign a mirror's metadata. */
export function signOptions(): Option[] {
  return [
    new Option(
      '--sign <keys>',
      'sign its metadata with this directory of keys, or file of one, see key init (default: as before, at first not)',
    ),
    new Option('--no-sign', 'end that: a signed mirror then can change no more'),
    passphraseOption(),
  ];
}

/**
 * Gets a passphrase; once that is done, no child process and no hook finds it in the environment. Throws CONFIG when there
 * is none.
 */
export async function askPassphrase(
  subject: string,
  isNew: boolean,
  { passphraseFd }: PassphraseFlags,
  signal: AbortSignal,
): Promise<Passphrase> {
  const { getPassphrase, PASSPHRASE_VARIABLE } = await import('../trust/passphrase.js');
  const env = { [PASSPHRASE_VARIABLE]: process.env[PASSPHRASE_VARIABLE] };
  delete process.env[PASSPHRASE_VARIABLE];
  const { stdin, stderr } = process;
  const terminal = stdin.isTTY && stderr.isTTY ? { input: stdin, output: stderr } : null;
  return await getPassphrase({ subject, isNew }, { fd: passphraseFd ?? null, env, terminal }, signal);
}

/** The directory of keys that is named, or else the one that the mirror remembers, of which a note tells; null for none. */
export async function keysDirectory(
  sign: string | undefined,
  mirrorDir: string,
  onEvent: EventSink,
): Promise<string | null> {
  if (sign !== undefined) return sign;
  const { rememberedKeys } = await import('../images/signing-settings.js');
  const remembered = await rememberedKeys(mirrorDir);
  if (remembered === null) return null;
  onEvent({ type: 'note', level: 'info', message: `signed with the keys in ${remembered}: as before` });
  return remembered;
}

/** One passphrase for all keys that a command is given: asked once, by whoever needs it first. */
export function passphraseOnce(
  flags: PassphraseFlags & { readonly keysDir: string | null; readonly pgpKey?: string },
  signal: AbortSignal,
): () => Promise<Passphrase> {
  const { keysDir, pgpKey } = flags;
  const subjects = [
    ...(keysDir === null ? [] : [`the keys in ${keysDir}`]),
    ...(pgpKey === undefined ? [] : [`the key ${pgpKey}`]),
  ];
  let asked: Promise<Passphrase> | undefined;
  return () => {
    asked ??= askPassphrase(subjects.join(' and of '), false, flags, signal);
    return asked;
  };
}

/** Opens a directory of keys to sign with, or takes their private halves from the environment. Throws CONFIG, NOT_FOUND, FORMAT. */
export async function openKeys(
  directory: string,
  flags: PassphraseFlags,
  signal: AbortSignal,
  ask = passphraseOnce({ ...flags, keysDir: directory }, signal),
): Promise<KeyRing> {
  const { KeyRing } = await import('../trust/tuf/key-ring.js');
  // Read first without a passphrase: who named the wrong directory is not to be asked for one.
  const listed = await KeyRing.open(directory, null);
  const pems = process.env[PRIVATE_KEYS_VARIABLE];
  if (pems !== undefined) {
    const { SigningKey } = await import('../trust/tuf/signing-key.js');
    return listed.holding(SigningKey.allFromPem(pems, PRIVATE_KEYS_VARIABLE), PRIVATE_KEYS_VARIABLE);
  }
  return await KeyRing.open(directory, await ask());
}

function parseDescriptor(text: string): number {
  const fd = Number(text);
  if (/^\d+$/.test(text) && fd < 2 ** 31) return fd;
  throw new UpdateRepositoryError('USAGE', `expected the number of an open file descriptor, found '${text}'`);
}
