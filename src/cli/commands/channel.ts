import type { Command } from 'commander';
import type { ChannelOptions } from '../../images/channels.js';
import { readVersion } from '../../metadata/image-name.js';
import { EXIT } from '../exit-codes.js';
import type { Accept, Session } from '../invocation.js';
import { keysDirectory, openKeys, type PassphraseFlags, passphraseOption } from '../sign-flags.js';

interface ChannelFlags extends PassphraseFlags {
  readonly sign?: string;
  readonly breakLock?: boolean;
}

const EPILOGUE = `
Examples:
  update-repository channel set /srv/www stable 20220120173248
  update-repository channel list /srv/www
  update-repository channel remove /srv/www beta
`;

/** Adds `channel` with its subcommands: sets, lists and removes the channels that devices follow. */
export function defineChannel(program: Command, accept: Accept): void {
  const channel = program
    .command('channel')
    .summary('set, list and remove the channels that devices follow')
    .description(
      'Set, list and remove the channels of a mirror: each names a version, which the devices whose target it is are to have.',
    )
    .usage('<set|list|remove> [options] <mirror>')
    .helpCommand(false)
    .addHelpText('after', EPILOGUE);
  defineSet(channel, accept);
  defineList(channel, accept);
  defineRemove(channel, accept);
}

function defineSet(channel: Command, accept: Accept): void {
  const command = channel
    .command('set')
    .description('Let a channel name a version of the mirror; a signed mirror is signed with it.')
    .argument('<mirror>', 'the mirror')
    .argument('<name>', 'the channel, such as stable')
    .argument('<version>', 'the version, 14 digits or as in an image name')
    .option('--series <name>', 'of which series (default: as before, or the only one of the mirror)');
  addSigning(command);
  type SetFlags = ChannelFlags & { readonly series?: string };
  command.action((mirrorDir: string, name: string, version: string, flags: SetFlags) =>
    accept(command, async (session) => {
      const { setChannel } = await import('../../images/channels.js');
      const options = await channelOptions(mirrorDir, name, flags, session);
      await setChannel({ ...options, version: readVersion(version) ?? version, series: flags.series });
      return EXIT.done;
    }),
  );
}

function defineList(channel: Command, accept: Accept): void {
  const command = channel
    .command('list')
    .description('Show the channels that were set, and the version that each names.')
    .argument('<mirror>', 'the mirror');
  command.action((mirrorDir: string) =>
    accept(command, async ({ onEvent }) => {
      const { listChannels } = await import('../../images/channels.js');
      await listChannels(mirrorDir, onEvent);
      return EXIT.done;
    }),
  );
}

function defineRemove(channel: Command, accept: Accept): void {
  const command = channel
    .command('remove')
    .description('Take a channel out of the mirror; devices that follow it stay as they are.')
    .argument('<mirror>', 'the mirror')
    .argument('<name>', 'the channel');
  addSigning(command);
  command.action((mirrorDir: string, name: string, flags: ChannelFlags) =>
    accept(command, async (session) => {
      const { removeChannel } = await import('../../images/channels.js');
      await removeChannel(await channelOptions(mirrorDir, name, flags, session));
      return EXIT.done;
    }),
  );
}

function addSigning(command: Command): void {
  command
    .option('--sign <keys>', 'the directory of keys, or the file of one, see key init (default: as before)')
    .addOption(passphraseOption())
    .option('--break-lock', 'take over the lock of a process that is gone');
}

async function channelOptions(
  mirrorDir: string,
  name: string,
  flags: ChannelFlags,
  { signal, onEvent }: Session,
): Promise<ChannelOptions> {
  const directory = await keysDirectory(flags.sign, mirrorDir, onEvent);
  const ring = directory === null ? null : await openKeys(directory, flags, signal);
  return { mirrorDir, name, ring, breakLock: flags.breakLock ?? false, onEvent };
}
