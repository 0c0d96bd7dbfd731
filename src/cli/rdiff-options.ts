import { Option } from 'commander';
import type { SignatureOptions } from '../delta/signature.js';
import { DIGEST_BYTES, type StrongSum, type WeakSum } from '../delta/signature-format.js';
import { UpdateRepositoryError } from '../errors.js';
import { optionValue } from './option-value.js';

/** What the options of `rdiff` leave in commander's hands. */
export interface RdiffFlags {
  readonly blockSize: number;
  readonly sumSize: number;
  readonly hash: string;
  readonly rollsum: string;
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
    new Option('-H, --hash <alg>', 'strong sums of a signature: blake2 or md4').default(HASHES[0]),
    new Option('-R, --rollsum <alg>', 'weak sums of a signature: rabinkarp or rollsum').default(ROLLSUMS[0]),
    number('-b, --block-size <bytes>', 'block size of a signature, 0 for what its file recommends'),
    number('-S, --sum-size <bytes>', 'bytes of a strong sum, 0 for all, -1 for the fewest that are safe'),
    number('-I, --input-size <bytes>', 'read at most so much at once, 0 for what suits', 0),
    number('-O, --output-size <bytes>', 'write at most so much at once, 0 for what suits', 0),
  ];
}

/**
 * What the options say about a signature. The other steps do not heed them, whatever they say.
 *
 * @throws UpdateRepositoryError USAGE for another algorithm, or a length that is out of range
 */
export function signatureOptions({ blockSize, sumSize, hash, rollsum }: RdiffFlags): SignatureOptions {
  const strong = optionValue('--hash', (text) => parseWord(text, HASHES))(hash);
  const weak = optionValue('--rollsum', (text) => parseWord(text, ROLLSUMS))(rollsum);
  const longest = DIGEST_BYTES[strong];
  requireAtLeast('--block-size', blockSize, 0);
  requireAtLeast('--sum-size', sumSize, -1);
  if (sumSize > longest)
    throw outOfRange(`option --sum-size: expected at most ${longest} for ${strong}, found ${sumSize}`);
  return { weak, strong, blockBytes: blockSize, strongBytes: sumSize };
}

function number(flags: string, description: string, least?: number): Option {
  const option = new Option(flags, description);
  const name = option.long ?? flags;
  const parse = (text: string) => {
    const value = optionValue(name, parseLength)(text);
    if (least !== undefined) requireAtLeast(name, value, least);
    return value;
  };
  return option.argParser(parse).default(0);
}

/** Reads a number as rdiff does: decimal, hexadecimal or octal as in C, and `-b=64` is `-b 64`. */
function parseLength(text: string): number {
  const [, sign = '', digits] = /^=?([-+]?)(0x[\da-f]+|\d+)$/i.exec(text) ?? [];
  const magnitude = Number(digits !== undefined && /^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = sign === '-' ? -magnitude : magnitude;
  if (Number.isInteger(value) && Math.abs(value) <= INT_MAX) return value;
  throw new UpdateRepositoryError('USAGE', `expected a whole number of at most ${INT_MAX}, found '${text}'`);
}

function requireAtLeast(flag: string, value: number, least: number): void {
  if (value < least) throw outOfRange(`option ${flag}: expected a number from ${least} on, found ${value}`);
}

function outOfRange(message: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', message, { data: { parameter: true } });
}

function parseWord<T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text.replace(/^=/, ''));
  if (found !== undefined) return found;
  throw new UpdateRepositoryError('USAGE', `expected ${words.join(' or ')}, found '${text}'`);
}
