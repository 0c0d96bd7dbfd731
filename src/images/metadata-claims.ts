import { createHash } from 'node:crypto';
import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import { isChannelPath } from '../metadata/channel.js';
import { parseSha256Sums } from '../metadata/checksum-lists.js';
import { DELTA_SHA256SUMS_FILE, pathBeside } from '../metadata/mirror-paths.js';
import { hashNamedCopy, isVouchedFor } from '../trust/tuf/contents.js';
import { MAX_BYTES, METADATA_DIR, type TargetEntry, TIMESTAMP_FILE } from '../trust/tuf/documents.js';
import { type Expiry, listExpiries } from '../trust/tuf/expiries.js';
import type { Lifetimes } from '../trust/tuf/lifetimes.js';
import { type ReadMetadata, type Repository, readRepository } from '../trust/tuf/repository.js';
import { expiryMessage, expiryPath } from './metadata-expiries.js';
import { signedIndexes, signedTargets } from './metadata-paths.js';

/** The metadata of a mirror, wherever it is read from. */
export interface MetadataSource {
  /** Gives files below `metadata/`, copies of indexes too. */
  readonly read: ReadMetadata;
  /** The text of a root that the chain has to contain; null where that of the source itself is believed. */
  readonly trustedRoot: string | null;
  /** By which metadata counts as due. */
  readonly lifetimes: Lifetimes;
}

/**
 * The indexes of these that the metadata vouches for with other bytes, or not at all where it has to. It has no entry of the
 * list of the deltas, but one of each delta.
 */
export function unsignedIndexes(repository: Repository, texts: ReadonlyMap<string, string>): string[] {
  const signed = signedTargets(repository);
  const isSigned = (path: string, text: string): boolean =>
    path === DELTA_SHA256SUMS_FILE
      ? listsSigned(text, signed)
      : !isVouchedFor(path) || signed.get(path)?.hashes.sha256 === sha256Of(text);
  return [...texts].filter(([path, text]) => !isSigned(path, text)).map(([path]) => path);
}

/** The channels that the metadata vouches for. */
export function signedChannels(repository: Repository): string[] {
  return [...signedIndexes(repository).keys()].filter(isChannelPath);
}

/** The channels of a mirror that its metadata names; none where it has none that is sound, which others tell of. */
export async function namedChannels(read: ReadMetadata): Promise<string[]> {
  try {
    if ((await read(TIMESTAMP_FILE, MAX_BYTES.timestamp)) === null) return [];
    const repository = await readRepository(read, null);
    return repository === null ? [] : signedChannels(repository);
  } catch (error) {
    if (UNSOUND.some((code) => hasCode(error, code))) return [];
    throw error;
  }
}

const UNSOUND = ['VERIFICATION', 'FORMAT', 'NETWORK', 'STORAGE'] as const;

function listsSigned(text: string, signed: ReadonlyMap<string, TargetEntry>): boolean {
  try {
    return parseSha256Sums(text, DELTA_SHA256SUMS_FILE).every(
      ({ path, sha256 }) => signed.get(pathBeside(DELTA_SHA256SUMS_FILE, path))?.hashes.sha256 === sha256,
    );
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    return false;
  }
}

/**
 * What is wrong with the metadata of a mirror, between it and these indexes, and with their copies, and what of it expires
 * soon; nothing, where there is none and no root is trusted. Throws what `read` throws but FORMAT, NETWORK and STORAGE.
 */
export async function metadataProblems(
  source: MetadataSource,
  texts: ReadonlyMap<string, string>,
): Promise<ProblemEvent[]> {
  const { read, trustedRoot, lifetimes } = source;
  try {
    if ((await read(TIMESTAMP_FILE, MAX_BYTES.timestamp)) === null) {
      if (trustedRoot === null) return [];
      return [problem('missing', `${METADATA_DIR}/${TIMESTAMP_FILE}`, 'expected it, as a root is trusted, found none')];
    }
    const repository = await readRepository(read, trustedRoot);
    if (repository === null) return [];
    const message = `expected the bytes that ${METADATA_DIR}/${TIMESTAMP_FILE} leads to, found others`;
    return [
      ...unsignedIndexes(repository, texts).map((path) => problem('inconsistent', path, message)),
      ...signedChannels(repository)
        .filter((path) => !texts.has(path))
        .map((path) => problem('missing', path, 'the metadata names it')),
      ...(await copyProblems(read, repository)),
      ...expiryProblems(listExpiries(repository, lifetimes, new Date())),
    ];
  } catch (error) {
    if (hasCode(error, 'NETWORK') || hasCode(error, 'STORAGE')) {
      return [problem('unreadable', METADATA_DIR, error.message)];
    }
    if (!hasCode(error, 'VERIFICATION') && !hasCode(error, 'FORMAT')) throw error;
    return [problem('malformed', METADATA_DIR, error.message)];
  }
}

/** A client with a trusted root reads the indexes by their copies. */
async function copyProblems(read: ReadMetadata, repository: Repository): Promise<ProblemEvent[]> {
  const problems: ProblemEvent[] = [];
  for (const [path, entry] of signedIndexes(repository)) {
    const copy = hashNamedCopy(path, entry.hashes.sha256);
    const fault = await copyFault(read, copy.slice(METADATA_DIR.length + 1), entry);
    if (fault !== null) problems.push(problem(fault.kind, copy, fault.message));
  }
  return problems;
}

async function copyFault(
  read: ReadMetadata,
  fileName: string,
  { length, hashes }: TargetEntry,
): Promise<Pick<ProblemEvent, 'kind' | 'message'> | null> {
  try {
    const text = await read(fileName, length);
    if (text === null) return { kind: 'missing', message: 'the metadata names it' };
    const found = sha256Of(text);
    return found === hashes.sha256
      ? null
      : { kind: 'mismatch', message: `expected sha256 ${hashes.sha256}, found ${found}` };
  } catch (error) {
    if (!hasCode(error, 'FORMAT')) throw error;
    return { kind: 'mismatch', message: error.message };
  }
}

/** Clients refuse what is expired; what is due is signed anew by a refresh, or by people. */
function expiryProblems(expiries: readonly Expiry[]): ProblemEvent[] {
  return expiries.flatMap((expiry): ProblemEvent[] => {
    if (expiry.state === 'good') return [];
    const level = expiry.state === 'expired' ? 'error' : 'warning';
    return [{ type: 'problem', level, kind: 'stale', path: expiryPath(expiry), message: expiryMessage(expiry) }];
  });
}

function problem(kind: ProblemEvent['kind'], path: string, message: string): ProblemEvent {
  return { type: 'problem', level: 'error', kind, path, message };
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
