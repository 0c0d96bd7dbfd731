import { type Command, Option } from 'commander';
import type { TrustWish } from '../client/trust/wish.js';

/** What the options of {@link addTrustOptions} leave in commander's hands. */
export interface TrustFlags {
  readonly trust?: string;
  readonly trustOnFirstUse?: boolean;
  readonly insecure?: boolean;
}

/** The options that say who vouches for what a device installs. */
export function addTrustOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--trust <file>',
        'take nothing but what this root of TUF metadata vouches for, now and later',
      ).conflicts(['trustOnFirstUse', 'insecure']),
    )
    .addOption(
      new Option(
        '--trust-on-first-use',
        'where no root is remembered, trust the first one that the mirror, or the bundle, has',
      ).conflicts('insecure'),
    )
    .option(
      '--insecure',
      'go on without signed metadata where a root is remembered: anybody may forge what is installed',
    );
}

/** What is wished for; the root that the device remembers, where no option is given. */
export function trustWish({ trust, trustOnFirstUse = false, insecure = false }: TrustFlags): TrustWish {
  if (trust !== undefined) return { kind: 'root', path: trust };
  if (trustOnFirstUse) return { kind: 'first-use' };
  return { kind: insecure ? 'insecure' : 'remembered' };
}
