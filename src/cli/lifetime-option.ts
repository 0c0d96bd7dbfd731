import { Option } from 'commander';
import { UpdateRepositoryError } from '../errors.js';
import { type ChosenLifetimes, LONGEST_LIFETIME_MS, SHORTEST_LIFETIME_MS } from '../trust/tuf/lifetimes.js';
import { KEY_ROLES, type KeyRole } from '../trust/tuf/role-names.js';
import { parseDuration } from './durations.js';
import { optionValue } from './option-value.js';

/** What the option `--expires` leaves in commander's hands. */
export interface LifetimeFlags {
  readonly expires?: ChosenLifetimes;
}

/** The option `--expires`, of the commands that sign metadata of these roles. */
export function lifetimeOption(roles: readonly KeyRole[] = KEY_ROLES): Option {
  return new Option(
    '--expires <role=duration,...>',
    `how long metadata is good that is signed, such as ${roles[0]}=365d; remembered`,
  ).argParser((text: string, before: ChosenLifetimes = {}) => {
    return { ...before, ...optionValue('--expires', (value) => parseLifetimes(value, roles))(text) };
  });
}

/** Reads `ROLE=DURATION[,...]`. Throws USAGE for another role, or a duration that no metadata is to have. */
export function parseLifetimes(text: string, roles: readonly KeyRole[]): ChosenLifetimes {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [name = '', duration = ''] = part.split('=', 2);
      const role = roles.find((one) => one === name);
      if (role === undefined) throw usage(`expected roles out of ${roles.join(', ')}, found '${name}'`);
      const ms = parseDuration(duration);
      if (ms >= SHORTEST_LIFETIME_MS && ms <= LONGEST_LIFETIME_MS) return [role, ms];
      throw usage(`expected a duration from 1h to 36500d for ${role}, found '${duration}'`);
    }),
  );
}

function usage(message: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', message);
}
