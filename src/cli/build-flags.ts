import { Option } from 'commander';
import { UpdateRepositoryError } from '../errors.js';
import { type DeltaPolicy, parseDeltaPolicy } from '../images/delta-policy.js';
import type { LinkMode } from '../io/link.js';
import { parseBaseUrl } from './base-url.js';
import { type DeltaFlags, deltaOptions } from './delta-flags.js';
import { parseDuration } from './durations.js';
import { graceOption } from './grace.js';
import { type LifetimeFlags, lifetimeOption } from './lifetime-option.js';
import { parseRatio } from './numbers.js';
import { optionValue } from './option-value.js';
import { type PgpFlags, pgpOptions } from './pgp-flags.js';
import { type ResourceFlags, resourceOptions } from './resources.js';
import { type SignFlags, signOptions } from './sign-flags.js';

/** What the options of `build` leave in commander's hands. */
export interface BuildFlags extends ResourceFlags, DeltaFlags, SignFlags, LifetimeFlags, PgpFlags {
  /** False with `--no-pgp`. */
  readonly pgp?: boolean;
  readonly seriesConfig?: readonly string[];
  readonly deltas?: DeltaPolicy;
  readonly maxDeltaRatio: number;
  readonly compressDeltas?: boolean;
  readonly bestBefore?: number;
  readonly baseUrl?: string;
  readonly repository?: string;
  readonly puavoOs?: string;
  /** True with `-c`, false with `--no-config`. */
  readonly config?: boolean;
  /** False with `-n` or `--no-files`. */
  readonly files: boolean;
  readonly link: LinkMode;
  readonly prune?: boolean;
  readonly grace: number;
  readonly keepGoing?: boolean;
  readonly replace?: boolean;
  readonly breakLock?: boolean;
  readonly dryRun?: boolean;
}

/** The options of `build`, in the order in which help shows them. */
export function buildFlagOptions(): Option[] {
  return [
    ...contentOptions(),
    ...deltaOptions(),
    ...signOptions(),
    lifetimeOption(),
    ...pgpOptions(),
    new Option('--no-pgp', 'end that: remove the signatures and KEY.gpg').conflicts(['pgpKey', 'gpgKey']),
    ...workOptions(),
    ...resourceOptions(),
    ...puavoOptions(),
  ];
}

function contentOptions(): Option[] {
  return [
    new Option(
      '--series-config <path>',
      'take the series from this file or directory (repeatable; default: from names)',
    ).argParser((path: string, previous: readonly string[] = []) => [...previous, path]),
    new Option(
      '--deltas <policy>',
      'which deltas to make: neighbours, puavo, all, latest:N or none (default: as before, at first neighbours; with -p or -r puavo)',
    ).argParser(optionValue('--deltas', parseDeltaPolicy)),
    new Option('--max-delta-ratio <r>', 'publish no delta that is larger than this share of its image')
      .argParser(optionValue('--max-delta-ratio', parseRatio))
      .default(0.8),
    new Option(
      '--compress-deltas',
      'a .rdiff.zst beside each delta where it saves 5 % or more (default: as before, at first not)',
    ),
    new Option('--no-compress-deltas', 'end that'),
    new Option(
      '--best-before <duration>',
      'systemd-sysupdate 262 refuses the list of the images after so long, such as 30d; 0 ends that (default: as before, at first 0)',
    ).argParser(optionValue('--best-before', parseBestBefore)),
    new Option('--base-url <url>', 'the URL at which clients find the mirror')
      .argParser(optionValue('--base-url', parseBaseUrl))
      .conflicts('repository'),
    new Option('--link <how>', 'how images get into the mirror')
      .choices(['auto', 'hard', 'reflink', 'copy'])
      .default('auto'),
  ];
}

/** Lists are good until the beginning of a day. Throws USAGE. */
function parseBestBefore(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === 0 || (durationMs >= parseDuration('1d') && durationMs <= parseDuration('3650d')))
    return durationMs;
  throw new UpdateRepositoryError('USAGE', `expected 0, or from 1d to 3650d, found '${text}'`);
}

function workOptions(): Option[] {
  return [
    new Option('--dry-run', 'show what would be done; exits with 10 when there is something'),
    new Option('--prune', 'afterwards remove what no index names any more, as the command prune does'),
    graceOption('with --prune: keep a file for so long after the last index that named it'),
    new Option('--keep-going', 'go on when an image or a delta fails; exits with 1'),
    new Option(
      '--replace',
      'accept images whose bytes changed under a published name (clients may hold the old bytes)',
    ),
    new Option('--break-lock', 'take over the lock of a process that is gone'),
  ];
}

function puavoOptions(): Option[] {
  const heading = 'Options of puavo-image-repository:';
  return [
    new Option('-r, --repository <url>', 'the same as --base-url').argParser(optionValue('--repository', parseBaseUrl)),
    new Option('-p, --puavo-os <dir>', 'take the series from <dir>/config/images where that directory exists'),
    new Option('-c, --config', 'take the series from the names of the images, executable files only'),
    new Option('--no-config', 'accepted without effect: configuration is never written'),
    new Option('-n, --no-files', 'the same as --no-config'),
  ].map((option) => option.helpGroup(heading));
}
