import type { Command } from 'commander';
import { addDeviceOptions, type DeviceFlags, deviceHooks, devicePlace } from '../device-flags.js';
import { EXIT } from '../exit-codes.js';
import type { Accept } from '../invocation.js';

const EPILOGUE = `
Example:
  update-repository rollback /srv/images
`;

/** Adds `rollback`: makes the image current again that was it before. */
export function defineRollback(program: Command, accept: Accept): void {
  const command = program
    .command('rollback')
    .summary("go back to this device's previous image")
    .description(
      'Make the previous image the current one, and the current one the previous. A mirror goes back by publish --rollback.',
    )
    .argument('[dir]', "the device's directory of images", '.');
  addDeviceOptions(command).addHelpText('after', EPILOGUE);

  command.action((dir: string, flags: DeviceFlags) =>
    accept(command, async (session) => {
      const { rollBackDevice } = await import('../../client/roll-back-device.js');
      await rollBackDevice(devicePlace(dir, flags), deviceHooks(flags), session);
      return EXIT.done;
    }),
  );
}
