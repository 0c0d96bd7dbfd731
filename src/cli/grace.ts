import { Option } from 'commander';
import { parseDuration } from './durations.js';
import { optionValue } from './option-value.js';

const DEFAULT_GRACE = '24h';

/** The option `--grace`, in milliseconds, of the commands that remove files. */
export function graceOption(description: string): Option {
  return new Option('--grace <duration>', description)
    .argParser(optionValue('--grace', parseDuration))
    .default(parseDuration(DEFAULT_GRACE), DEFAULT_GRACE);
}
