import type { ImageVersion } from '../../metadata/brands.js';
import type { Notice } from './notice.js';
import type { TargetWish } from './target-wish.js';
import type { TimeWindow } from './time-window.js';

/** Whether a whole image may be fetched where no deltas lead to the wanted version. */
export const FALLBACKS = ['never', 'ask', 'full'] as const;
export type Fallback = (typeof FALLBACKS)[number];

/** What may be fetched over a metered connection: all that is wanted, deltas only, or nothing. */
export const METERED_RULES = ['full', 'deltas-only', 'never'] as const;
export type MeteredRule = (typeof METERED_RULES)[number];

/** Whether the connection is metered, or that the system is to be asked. */
export const CONNECTIONS = ['auto', 'metered', 'unmetered'] as const;
export type Connection = (typeof CONNECTIONS)[number];

/** Which images go where an update would not fit otherwise: none, old ones, or also the previous one. */
export const ROOM_MAKERS = ['never', 'old', 'previous'] as const;
export type MakeRoom = (typeof ROOM_MAKERS)[number];

/** What a device is to do, and what it must not. The members are those of a policy file (docs/client-policy.md). */
export interface Policy {
  readonly target: TargetWish;
  /** No version below it is ever installed; null for any. */
  readonly floor: ImageVersion | null;
  readonly allowDowngrade: boolean;
  /** Versions that an update upwards must not skip. */
  readonly barriers: readonly ImageVersion[];
  readonly fallback: Fallback;
  readonly metered: MeteredRule;
  readonly connection: Connection;
  /** When updates may run, in local time; empty for always. */
  readonly windows: readonly TimeWindow[];
  /** How many images of the series stay on the device. */
  readonly keep: number;
  /** What goes for an update that would not fit; null for what is usual in the device's layout. */
  readonly makeRoom: MakeRoom | null;
  /** How many hops a path has at most. */
  readonly maxHops: number;
  /** Not more than so much is downloaded a second; null for no limit. */
  readonly limitBytesPerSecond: number | null;
  /** What a plan reckons with; null where it is to be measured or assumed. */
  readonly downloadBytesPerSecond: number | null;
  readonly diskBytesPerSecond: number | null;
  /** What is told of a new version; null for nothing. */
  readonly notify: Notice | null;
}

/** What a file or the command line says of a policy. */
export type PolicyChoices = Partial<Policy>;

export const DEFAULT_POLICY: Policy = {
  target: { kind: 'latest' },
  floor: null,
  allowDowngrade: false,
  barriers: [],
  fallback: 'full',
  metered: 'full',
  connection: 'auto',
  windows: [],
  keep: 2,
  makeRoom: null,
  maxHops: 4,
  limitBytesPerSecond: null,
  downloadBytesPerSecond: null,
  diskBytesPerSecond: null,
  notify: null,
};

/** The policy of a file and of a command line: a member of the latter is in place of the file's, as a whole. */
export function policyOf(file: PolicyChoices, flags: PolicyChoices = {}): Policy {
  return { ...DEFAULT_POLICY, ...file, ...flags };
}
