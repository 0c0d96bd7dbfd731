import { type Command, Option } from 'commander';
import type { Hooks } from '../client/device/make-current.js';
import type { DevicePlace } from '../client/session.js';
import { parseCount } from './numbers.js';
import { optionValue } from './option-value.js';

/** What the options of {@link addDeviceOptions} leave in commander's hands. */
export interface DeviceFlags {
  readonly layout: 'plain' | 'puavo';
  readonly preActivate?: string;
  readonly postActivate?: string;
  readonly hookTimeout?: number;
  readonly breakLock?: boolean;
}

/** The options that say how a device keeps its images, and what else happens when another one becomes current. */
export function addDeviceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--layout <name>', "how the current image is marked: by links of our own, or as Puavo's clients do")
        .choices(['plain', 'puavo'])
        .default('plain'),
    )
    .option('--pre-activate <command>', 'run before an image becomes current; when it fails the old one stays')
    .option('--post-activate <command>', 'run when an image has become current')
    .addOption(
      new Option('--hook-timeout <seconds>', 'how long each of these commands may take; 600 when left out').argParser(
        optionValue('--hook-timeout', parseCount),
      ),
    )
    .option('--break-lock', 'take the lock, whoever has it');
}

/** The directory of a device's images. */
export function devicePlace(dir: string, { layout, breakLock = false }: DeviceFlags): DevicePlace {
  return { dir, layout, breakLock };
}

/** The commands that the user wants to be run. */
export function deviceHooks({ preActivate, postActivate, hookTimeout }: DeviceFlags): Partial<Hooks> {
  return {
    ...(preActivate === undefined ? {} : { preActivate }),
    ...(postActivate === undefined ? {} : { postActivate }),
    ...(hookTimeout === undefined ? {} : { timeoutMs: hookTimeout * 1000 }),
  };
}
