import { type Command, Option } from 'commander';
import { NOTICE_FORM, type Notice, readNotice } from '../client/policy/notice.js';
import {
  CONNECTIONS,
  type Connection,
  FALLBACKS,
  type Fallback,
  type MakeRoom,
  METERED_RULES,
  type MeteredRule,
  type Policy,
  type PolicyChoices,
  policyOf,
  ROOM_MAKERS,
} from '../client/policy/policy.js';
import { readTargetWish, TARGET_FORM, type TargetWish } from '../client/policy/target-wish.js';
import { readTimeWindow, type TimeWindow, WINDOW_FORM } from '../client/policy/time-window.js';
import { UpdateRepositoryError } from '../errors.js';
import { type ImageVersion, VERSION_FORM } from '../metadata/brands.js';
import { describeValue } from '../metadata/describe-value.js';
import { readVersion } from '../metadata/image-name.js';
import { parseSize } from './bytes.js';
import { parseCount } from './numbers.js';
import { optionValue } from './option-value.js';

/** What the options of {@link addPolicyOptions} leave in commander's hands. */
export interface PolicyFlags {
  readonly policy?: string;
  readonly target?: TargetWish;
  readonly floor?: ImageVersion;
  readonly allowDowngrade?: boolean;
  readonly barrier?: readonly ImageVersion[];
  readonly fallback?: Fallback;
  readonly metered?: MeteredRule;
  readonly connection?: Connection;
  readonly window?: readonly TimeWindow[];
  readonly keep?: number;
  readonly makeRoom?: MakeRoom;
  readonly maxHops?: number;
  readonly rateLimit?: number;
  readonly notify?: Notice;
}

/** The options that say what a device is to do: a policy file, and what goes before its members. */
export function addPolicyOptions(command: Command): Command {
  return command
    .option('--policy <file>', 'a policy file; the options below go before its members')
    .addOption(read('--target <version>', 'latest, a version, or channel:NAME', readTarget, TARGET_FORM))
    .addOption(read('--floor <version>', 'never install a version below it', readVersion, VERSION_FORM))
    .option('--allow-downgrade', 'go to a version below the current one where that is wanted')
    .addOption(
      several('--barrier <version>', 'a version that must not be skipped; may be repeated', readVersion, VERSION_FORM),
    )
    .addOption(choice('--fallback <when>', 'fetch a whole image where no deltas lead there', FALLBACKS))
    .addOption(choice('--metered <what>', 'what to fetch over a metered connection', METERED_RULES))
    .addOption(choice('--connection <kind>', 'whether the connection is metered; auto asks the system', CONNECTIONS))
    .addOption(
      several('--window <time>', 'update only then, such as 22:00-06:00; may be repeated', readTimeWindow, WINDOW_FORM),
    )
    .addOption(new Option('--keep <n>', 'keep so many images').argParser(optionValue('--keep', parseCount)))
    .addOption(choice('--make-room <what>', 'which images to remove where an update would not fit', ROOM_MAKERS))
    .addOption(
      new Option('--max-hops <n>', 'go by so many deltas at most').argParser(optionValue('--max-hops', parseCount)),
    )
    .addOption(
      new Option('--rate-limit <rate>', 'download no more than so many bytes a second, such as 2M').argParser(
        optionValue('--rate-limit', parseSize),
      ),
    )
    .addOption(read('--notify <how>', 'tell of a new version by a command, or by a webhook', readNotice, NOTICE_FORM));
}

/**
 * The policy of the command line, and of the file that it names.
 *
 * @throws UpdateRepositoryError NOT_FOUND or IO when the file cannot be read, CONFIG when it is no policy
 */
export async function readPolicy(flags: PolicyFlags): Promise<Policy> {
  const choices = policyChoices(flags);
  if (flags.policy === undefined) return policyOf({}, choices);
  const { readPolicyFile } = await import('../client/policy/policy-file.js');
  return policyOf(await readPolicyFile(flags.policy), choices);
}

function policyChoices({ policy: _, barrier, window, rateLimit, ...same }: PolicyFlags): PolicyChoices {
  return {
    ...same,
    ...(barrier === undefined ? {} : { barriers: barrier }),
    ...(window === undefined ? {} : { windows: window }),
    ...(rateLimit === undefined ? {} : { limitBytesPerSecond: rateLimit }),
  };
}

type Read<T> = (text: string) => T | null;

function readTarget(text: string): TargetWish | null {
  return readTargetWish(readVersion(text) ?? text);
}

function read<T>(flags: string, description: string, reader: Read<T>, form: string): Option {
  return new Option(flags, description).argParser(parserOf(flags, reader, form));
}

function several<T>(flags: string, description: string, reader: Read<T>, form: string): Option {
  const value = parserOf(flags, reader, form);
  return new Option(flags, description).argParser((text, earlier: readonly T[] = []) => [...earlier, value(text)]);
}

function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}

function parserOf<T>(flags: string, reader: Read<T>, form: string): (text: string) => T {
  const [flag = flags] = flags.split(' ');
  return optionValue(flag, (text) => {
    const found = reader(text);
    if (found !== null) return found;
    throw new UpdateRepositoryError('USAGE', `expected ${form}, found ${shown(text)}`);
  });
}

/** What may be a webhook with its secret is not shown. */
function shown(text: string): string {
  return /^https?:/i.test(text) ? 'another URL' : describeValue(text);
}
