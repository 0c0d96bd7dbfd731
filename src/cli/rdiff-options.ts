import { Option } from 'commander';
import { DIGEST_BYTES, type StrongSum, type WeakSum } from '../delta/signature-format.js';
import { UpdateRepositoryError } from '../errors.js';
import { optionValue } from './option-value.js';

/** What the options of `rdiff` leave in commander's hands. */
export interface RdiffFlags {
  readonly blockSize: number;
  readonly sumSize: number;
  readonly hash: StrongSum;
  readonly rollsum: WeakSum;
  readonly inputSize: number;
  readonly outputSize: number;
  readonly force?: boolean;
  readonly statistics?: boolean;
  readonly verbose?: boolean;
}

const HASHES = ['blake2', 'md4'] as const satisfies readonly StrongSum[];
const ROLLSUMS = ['rabinkarp', 'rollsum'] as const satisfies readonly WeakSum[];
const INT_MAX = 2 ** 31 - 1;

/** The options of `rdiff`, named as Debian's rdiff names them, in the order of its help. */
export function rdiffOptions(): Option[] {
  return [
    new Option('-v, --verbose', 'say what is done'),
    new Option('-s, --statistics', 'say afterwards what it came to'),
    new Option('-f, --force', 'replace the output when it is there'),
    word('-H, --hash <alg>', 'strong sums of a signature: blake2 or md4', HASHES),
    word('-R, --rollsum <alg>', 'weak sums of a signature: rabinkarp or rollsum', ROLLSUMS),
    number('-b, --block-size <bytes>', 'block size of a signature, 0 for what its file recommends', 0),
    number('-S, --sum-size <bytes>', 'bytes of a strong sum, 0 for all, -1 for the fewest that are safe', -1),
    number('-I, --input-size <bytes>', 'read at most so much at once, 0 for what suits', 0),
    number('-O, --output-size <bytes>', 'write at most so much at once, 0 for what suits', 0),
  ];
}

/**
 * Refuses what only two options together make wrong.
 *
 * @throws UpdateRepositoryError USAGE for a strong sum that is longer than the digest
 */
export function checkSumSize({ sumSize, hash }: RdiffFlags): void {
  const longest = DIGEST_BYTES[hash];
  if (sumSize <= longest) return;
  const message = `option --sum-size: expected at most ${longest} for ${hash}, found ${sumSize}`;
  throw new UpdateRepositoryError('USAGE', message, { data: { parameter: true } });
}

function number(flags: string, description: string, least: number): Option {
  const option = new Option(flags, description);
  return option.argParser(optionValue(option.long ?? flags, (text) => parseLength(text, least))).default(0);
}

function word<T extends string>(flags: string, description: string, words: readonly [T, ...T[]]): Option {
  const option = new Option(flags, description);
  return option.argParser(optionValue(option.long ?? flags, (text) => parseWord(text, words))).default(words[0]);
}

/** Reads a number as rdiff does: decimal, hexadecimal or octal as in C, and `-b=64` is `-b 64`. */
function parseLength(text: string, least: number): number {
  const [, sign = '', digits] = /^=?(-?)(0x[\da-f]+|\d+)$/i.exec(text) ?? [];
  const magnitude = Number(digits !== undefined && /^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = sign === '-' ? -magnitude : magnitude;
  if (!Number.isInteger(value) || Math.abs(value) > INT_MAX) {
    throw new UpdateRepositoryError('USAGE', `expected a number from ${least} to ${INT_MAX}, found '${text}'`);
  }
  if (value >= least) return value;
  throw new UpdateRepositoryError('USAGE', `expected a number from ${least} on, found '${text}'`, {
    data: { parameter: true },
  });
}

function parseWord<T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text.replace(/^=/, ''));
  if (found !== undefined) return found;
  throw new UpdateRepositoryError('USAGE', `expected ${words.join(' or ')}, found '${text}'`);
}
