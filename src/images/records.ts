import { isAbsolute } from 'node:path';
import { hasCode } from '../errors.js';
import { type FileIdentity, parseFileIdentity } from '../io/file-identity.js';
import { isSha256Hex, isSha512Hex } from '../metadata/brands.js';
import { type Digests, isCksum } from '../metadata/digests.js';
import type { PuavoConf } from '../metadata/puavo-conf.js';
import { type ImageKind, isImageKind } from '../squashfs/kind.js';
import { type ChosenLifetimes, LONGEST_LIFETIME_MS, SHORTEST_LIFETIME_MS } from '../trust/tuf/lifetimes.js';
import { isKeyRole } from '../trust/tuf/role-names.js';
import { type DeltaPolicy, parseDeltaPolicy } from './delta-policy.js';

/** What a mirror remembers between builds. */
export interface MirrorSettings {
  /** Where the mirror is served, without a trailing slash. */
  readonly baseUrl: string | null;
  readonly deltas: DeltaPolicy | null;
  /** Whether deltas have a compressed form beside them where that pays. */
  readonly compressDeltas: boolean;
  /** The directory of the keys by which it is signed, an absolute path; null where it is not, or they are named each time. */
  readonly keysDir: string | null;
  /** How long its metadata is to be good. */
  readonly lifetimes: ChosenLifetimes;
  /** For how long the list of the images says that it is good; null where it does not. */
  readonly bestBeforeMs: number | null;
}

/** What is known of an image file. */
export interface ImageRecord {
  /** The file in the image directory. */
  readonly source: FileIdentity;
  /** The file in the mirror: the same as `source` when it is a hard link; null for an image that is only a base. */
  readonly published: FileIdentity | null;
  readonly digests: Digests;
  readonly kind: ImageKind;
  readonly innerName: string | null;
  readonly puavoConf: PuavoConf;
}

/** What is known of a delta, and of which bytes it holds. */
export interface DeltaRecord {
  readonly baseSha256: string;
  readonly targetSha256: string;
  readonly outcome: DeltaOutcome;
  /** What came of compressing it; null while nobody tried. */
  readonly compressed: CompressedRecord | null;
}

/** What is known of the compressed form of a delta, and of which delta. */
export interface CompressedRecord {
  readonly deltaSha256: string;
  readonly outcome: CompressedOutcome;
}

export type DeltaOutcome =
  | PublishedOutcome
  /** It passed `limitBytes` when it was last made: it is made again only under a higher limit. */
  | { readonly kind: 'too-large'; readonly limitBytes: number };

export type CompressedOutcome =
  | PublishedOutcome
  /** It saves too little. */
  | { readonly kind: 'not-worth-it' };

/** The file that is in the mirror. */
export interface PublishedOutcome {
  readonly kind: 'published';
  readonly published: FileIdentity;
  readonly digests: Digests;
}

// The parsers return null for anything that this version did not write: the caller learns it again.

export function parseSettings(value: unknown): MirrorSettings | null {
  if (!isObject(value)) return null;
  const { baseUrl, deltas, compressDeltas, keysDir, lifetimes, bestBeforeMs } = value;
  return {
    baseUrl: typeof baseUrl === 'string' && URL.canParse(baseUrl) ? baseUrl : null,
    deltas: typeof deltas === 'string' ? parsePolicyOrNull(deltas) : null,
    compressDeltas: compressDeltas === true,
    keysDir: typeof keysDir === 'string' && isAbsolute(keysDir) ? keysDir : null,
    lifetimes: isObject(lifetimes) ? parseLifetimes(lifetimes) : {},
    bestBeforeMs: typeof bestBeforeMs === 'number' && bestBeforeMs > 0 ? bestBeforeMs : null,
  };
}

export function parseImageRecord(value: unknown): ImageRecord | null {
  if (!isObject(value) || !isObject(value.puavoConf)) return null;
  const source = parseFileIdentity(value.source);
  const published = parseFileIdentity(value.published);
  const digests = parseDigestsOrNull(value.digests);
  const { innerName, kind } = value;
  if (source === null || digests === null || !isImageKind(kind)) return null;
  if (innerName !== null && typeof innerName !== 'string') return null;
  return { source, published, digests, kind, innerName, puavoConf: value.puavoConf };
}

export function parseDeltaRecord(value: unknown): DeltaRecord | null {
  if (!isObject(value)) return null;
  const { baseSha256, targetSha256 } = value;
  if (typeof baseSha256 !== 'string' || typeof targetSha256 !== 'string') return null;
  const outcome = parseOutcome(value.outcome);
  const compressed = parseCompressed(value.compressed);
  return outcome === null ? null : { baseSha256, targetSha256, outcome, compressed };
}

export function parseDropped(value: unknown): ReadonlyMap<string, string> | null {
  if (!isObject(value)) return null;
  const entries = Object.entries(value);
  return new Map(entries.filter((entry): entry is [string, string] => isTimestamp(entry[1])));
}

function parseLifetimes(value: Record<string, unknown>): ChosenLifetimes {
  return Object.fromEntries(Object.entries(value).filter(([role, ms]) => isKeyRole(role) && isLifetime(ms)));
}

function isLifetime(ms: unknown): boolean {
  return typeof ms === 'number' && ms >= SHORTEST_LIFETIME_MS && ms <= LONGEST_LIFETIME_MS;
}

function parsePolicyOrNull(text: string): DeltaPolicy | null {
  try {
    return parseDeltaPolicy(text);
  } catch (error) {
    if (hasCode(error, 'USAGE')) return null;
    throw error;
  }
}

function parseOutcome(value: unknown): DeltaOutcome | null {
  if (!isObject(value)) return null;
  if (value.kind === 'too-large') {
    return typeof value.limitBytes === 'number' ? { kind: 'too-large', limitBytes: value.limitBytes } : null;
  }
  return parsePublished(value);
}

const NOT_WORTH_IT: CompressedOutcome = { kind: 'not-worth-it' };

function parseCompressed(value: unknown): CompressedRecord | null {
  if (!isObject(value) || !isObject(value.outcome)) return null;
  const { deltaSha256, outcome } = value;
  const parsed = outcome.kind === 'not-worth-it' ? NOT_WORTH_IT : parsePublished(outcome);
  return typeof deltaSha256 !== 'string' || parsed === null ? null : { deltaSha256, outcome: parsed };
}

function parsePublished(value: Record<string, unknown>): PublishedOutcome | null {
  const published = parseFileIdentity(value.published);
  const digests = parseDigestsOrNull(value.digests);
  if (value.kind !== 'published' || published === null || digests === null) return null;
  return { kind: 'published', published, digests };
}

function parseDigestsOrNull(value: unknown): Digests | null {
  if (!isObject(value)) return null;
  const { cksum, sha256, sha512 } = value;
  if (typeof cksum !== 'string' || typeof sha256 !== 'string' || typeof sha512 !== 'string') return null;
  if (!isCksum(cksum) || !isSha256Hex(sha256) || !isSha512Hex(sha512)) return null;
  return { cksum, sha256, sha512 };
}

function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
