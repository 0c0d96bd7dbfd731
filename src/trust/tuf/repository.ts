import { createHash } from 'node:crypto';
import { UpdateRepositoryError } from '../../errors.js';
import { parseSha256Hex } from '../../metadata/brands.js';
import { describeName } from '../../metadata/describe-value.js';
import {
  type DelegatedRole,
  type DocumentByKind,
  type DocumentKind,
  type Envelope,
  type FileClaim,
  MAX_BYTES,
  METADATA_DIR,
  metadataFileName,
  metadataPath,
  type RootDocument,
  type SnapshotDocument,
  type TargetsDocument,
  TIMESTAMP_FILE,
  type TimestampDocument,
  type TopRole,
} from './documents.js';
import { parseEnvelope } from './parse-document.js';
import { isBinOf } from './role-names.js';
import { checkSigned, type Signers } from './signatures.js';

/** The metadata of a mirror as it is, every file of it verified against those above it. */
export interface Repository {
  readonly root: Envelope<RootDocument>;
  readonly targets: Envelope<TargetsDocument>;
  /** The delegated roles by name, parts of large series among them. */
  readonly roles: ReadonlyMap<string, Envelope<TargetsDocument>>;
  readonly snapshot: Envelope<SnapshotDocument>;
  readonly timestamp: Envelope<TimestampDocument>;
}

/** Gives the text of a file below `metadata/`, null when there is none; throws FORMAT when it is longer. */
export type ReadMetadata = (fileName: string, maxBytes: number) => Promise<string | null>;

/** More roots than a client of tuf-js follows in one update are followed here as well. */
const MAX_ROOTS = 10_000;

/**
 * Reads and verifies the metadata of a mirror; null when it has none. What is expired is no error: it is to be signed
 * anew.
 *
 * `trustedRoot` is the text of the newest root that the caller has seen, or null. The chain of roots has to contain it:
 * whoever can write the mirror could otherwise take the newest roots away, and with them the revocation of a key that he
 * stole, or put a repository of his own there.
 *
 * @throws UpdateRepositoryError VERIFICATION when a file is missing, not signed as it has to be or another one than is
 * said above it, FORMAT when one is malformed.
 */
export async function readRepository(read: ReadMetadata, trustedRoot: string | null): Promise<Repository | null> {
  const root = await readNewestRoot(read, trustedRoot);
  if (root === null) return null;
  const top = (role: TopRole) => topSigners(root.signed, role);
  const timestamp = await readSigned(read, 'timestamp', top('timestamp'), null);
  const snapshot = await readSigned(read, 'snapshot', top('snapshot'), timestamp.signed.meta['snapshot.json']);
  const targets = await readSigned(read, 'targets', top('targets'), claimIn(snapshot, 'targets'));
  const roles = new Map<string, Envelope<TargetsDocument>>();
  for (const [name, role] of await readDelegated(read, targets, snapshot)) {
    roles.set(name, role);
    checkBins(name, role);
    for (const [bin, part] of await readDelegated(read, role, snapshot)) roles.set(bin, part);
  }
  return { root, targets, roles, snapshot, timestamp };
}

/** Who has to sign for a top-level role. */
export function topSigners(root: RootDocument, role: TopRole): Signers {
  return { role, roleKeys: root.roles[role], keys: root.keys };
}

/** Who has to sign for the roles that a targets document delegates to. */
export function delegatedSigners({ delegations }: TargetsDocument, role: DelegatedRole): Signers {
  return { role: role.name, roleKeys: role, keys: delegations?.keys ?? {} };
}

/** Checks that a root follows another one: the next version, signed as both of them ask (specification, section 5.3). */
export function checkNextRoot(next: Envelope<RootDocument>, previous: RootDocument, file: string): void {
  checkVersion(next, previous.version + 1, file);
  checkSigned(next, topSigners(previous, 'root'), file);
  checkSigned(next, topSigners(next.signed, 'root'), file);
}

/** Throws VERIFICATION when a document is not the version that is expected. */
export function checkVersion({ signed }: Envelope, expected: number, file: string): void {
  if (signed.version === expected) return;
  throw unexpected(file, `version ${expected}`, `version ${signed.version}`);
}

async function readNewestRoot(read: ReadMetadata, trustedRoot: string | null): Promise<Envelope<RootDocument> | null> {
  const trusted = trustedRoot === null ? null : parseEnvelope('root', trustedRoot, 'the trusted root').signed.version;
  let newest: Envelope<RootDocument> | null = null;
  for (let version = 1; version <= MAX_ROOTS; version++) {
    const name = metadataFileName('root', version);
    const file = `${METADATA_DIR}/${name}`;
    const text = await read(name, MAX_BYTES.root);
    if (version === trusted && text !== trustedRoot) {
      throw unexpected(file, 'the root that is trusted', text === null ? 'no such file' : 'another one');
    }
    if (text === null) break;
    const root: Envelope<RootDocument> = parseEnvelope('root', text, file);
    if (newest === null) {
      checkVersion(root, 1, file);
      checkSigned(root, topSigners(root.signed, 'root'), file);
    } else {
      checkNextRoot(root, newest.signed, file);
    }
    newest = root;
  }
  return checkReached(newest, trusted, await read(TIMESTAMP_FILE, MAX_BYTES.timestamp));
}

function checkReached(
  newest: Envelope<RootDocument> | null,
  trusted: number | null,
  timestamp: string | null,
): Envelope<RootDocument> | null {
  const reached = newest?.signed.version ?? 0;
  if (trusted !== null && reached < trusted) {
    throw unexpected(METADATA_DIR, `the trusted root, version ${trusted}`, `no root above version ${reached}`);
  }
  if (newest !== null || timestamp === null) return newest;
  throw unexpected(metadataPath('root', 1), 'the first root', 'no such file');
}

async function readDelegated(
  read: ReadMetadata,
  delegator: Envelope<TargetsDocument>,
  snapshot: Envelope<SnapshotDocument>,
): Promise<[name: string, role: Envelope<TargetsDocument>][]> {
  const found: [string, Envelope<TargetsDocument>][] = [];
  for (const role of delegator.signed.delegations?.roles ?? []) {
    const signers = delegatedSigners(delegator.signed, role);
    found.push([role.name, await readSigned(read, 'targets', signers, claimIn(snapshot, role.name))]);
  }
  return found;
}

/** A series may delegate to its own parts alone: its key is not to put another role's metadata in the place of ours. */
function checkBins(series: string, { signed }: Envelope<TargetsDocument>): void {
  for (const { name } of signed.delegations?.roles ?? []) {
    if (isBinOf(series, name)) continue;
    const file = metadataPath(series, signed.version);
    throw unexpected(file, `delegations to parts of ${series} alone`, `one to ${describeName(name)}`);
  }
}

async function readSigned<Kind extends Exclude<DocumentKind, 'root'>>(
  read: ReadMetadata,
  kind: Kind,
  signers: Signers,
  claim: FileClaim | null,
): Promise<Envelope<DocumentByKind[Kind]>> {
  const name = metadataFileName(signers.role, claim?.version ?? 0);
  const file = `${METADATA_DIR}/${name}`;
  const text = await read(name, MAX_BYTES[kind]);
  if (text === null) throw unexpected(file, 'the metadata of the mirror', 'no such file');
  if (claim !== null) checkClaim(text, claim, file);
  const envelope = parseEnvelope(kind, text, file);
  if (claim !== null) checkVersion(envelope, claim.version, file);
  checkSigned(envelope, signers, file);
  return envelope;
}

/** What snapshot and timestamp say of a metadata file of this text. */
export function claimOf(text: string, version: number): FileClaim {
  const sha256 = parseSha256Hex(createHash('sha256').update(text).digest('hex'), 'a digest');
  return { version, length: Buffer.byteLength(text), hashes: { sha256 } };
}

/** A role cannot be one of another file than its own: mixing and matching ends here (specification, section 5.5.2). */
function checkClaim(text: string, claim: FileClaim, file: string): void {
  const found = claimOf(text, claim.version);
  if (found.length !== claim.length) throw unexpected(file, `${claim.length} bytes`, String(found.length));
  const { sha256 } = found.hashes;
  if (sha256 !== claim.hashes.sha256) throw unexpected(file, `sha256 ${claim.hashes.sha256}`, sha256);
}

function claimIn({ signed }: Envelope<SnapshotDocument>, role: string): FileClaim {
  const name = `${role}.json`;
  const claim = Object.hasOwn(signed.meta, name) ? signed.meta[name] : undefined;
  if (claim !== undefined) return claim;
  throw unexpected(metadataPath('snapshot', signed.version), `${name} in it`, 'it missing');
}

function unexpected(file: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('VERIFICATION', `${file}: expected ${expected}, found ${found}`, { data: { file } });
}
