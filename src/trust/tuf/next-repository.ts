import { UpdateRepositoryError } from '../../errors.js';
import { metaPath } from '../../metadata/mirror-paths.js';
import { canonicalJson } from './canonical-json.js';
import { hashNamedCopy, type IndexFile, type RepositoryContents } from './contents.js';
import { addDelegations, findMissing, hasRole, type OnlineAssignments } from './delegations.js';
import {
  type CommonMembers,
  type Delegations,
  type Envelope,
  type FileClaim,
  MAX_BYTES,
  metadataPath,
  type RootDocument,
  type SnapshotDocument,
  SPEC_VERSION,
  type TargetsDocument,
  type TimestampDocument,
  type TopRole,
  type TufDocument,
} from './documents.js';
import { checkComplete, type Drafts, signDrafts } from './drafts.js';
import { expiresAt, isDue, type Lifetimes, lifetimeOf } from './lifetimes.js';
import { renderEnvelope } from './parse-document.js';
import { checkNextRoot, checkVersion, claimOf, type Repository, topSigners } from './repository.js';
import { currentBodies, roleBodies } from './role-bodies.js';
import { MIRROR_ROLE } from './role-names.js';
import { isGoodUnder, signForBoth } from './root-overlap.js';
import { canSign, isSigned, keysMissing, type Signers, signWith } from './signatures.js';
import type { MetadataSigner } from './signing-key.js';
import { versionAfter } from './versions.js';

/** What is to change in a repository. */
export interface RepositoryChange {
  /** What the mirror has now; null where what is signed now is to stay, but for its channels. */
  readonly contents: RepositoryContents | null;
  /** Without contents, the channels that it has now, by path; undefined where they are to stay, too. */
  readonly channels?: ReadonlyMap<string, IndexFile> | undefined;
  /** Metadata that people made and signed; nothing of it is in the mirror yet. */
  readonly drafts: Drafts;
  /** Who signs for a series that is new; null where none may be added. */
  readonly online: OnlineAssignments | null;
}

/** By what metadata is signed. */
export interface Signing {
  readonly keys: readonly MetadataSigner[];
  readonly lifetimes: Lifetimes;
  readonly now: Date;
}

/** A file to be written; the path is relative to the mirror's root. */
export interface RepositoryFile {
  readonly path: string;
  readonly text: string;
}

/** A repository as it is to be, and the files that lead there. */
export interface NextRepository {
  readonly repository: Repository;
  /**
   * In the order in which they have to be written: copies of indexes, targets and delegated roles, the snapshot, the
   * timestamp, by which clients see all of it, and a root; those of one stage may be written together. Where a client that has
   * not seen the root would refuse the others, it is written before the timestamp: then clients refuse the mirror between the two.
   */
  readonly stages: readonly (readonly RepositoryFile[])[];
}

/**
 * The next state of a repository, or the first where `current` is null; null when nothing changed and nothing is due.
 * A version goes up by one, and a signature is made, only where content, keys or time ask for it. What is due while its
 * keys are elsewhere stays as it is.
 *
 * @throws UpdateRepositoryError CONFIG when a key is missing, naming it, or when a file would be larger than clients
 * take, VERIFICATION when a draft does not follow what is there, NAME for a series or a file that cannot be delegated.
 */
export function nextRepository(
  current: Repository | null,
  { contents, channels, drafts: given, online }: RepositoryChange,
  signing: Signing,
): NextRepository | null {
  const drafts = signDrafts(given, current, signing.keys);
  checkComplete(drafts, current);
  const root = nextRoot(current, drafts, signing);
  const oldRoot = current === null || root === current.root ? null : current.root.signed;
  const forBoth = <Document extends TufDocument>(role: TopRole, made: Envelope<Document>) =>
    oldRoot === null ? made : signForBoth(made, topSigners(oldRoot, role), signing.keys);
  const targets = forBoth('targets', nextTargets(current, root.signed, drafts, { contents, online }, signing));
  const roles = nextRoles(current, targets.signed, { contents, channels }, signing);
  const files = new Map([
    ...changedFile('targets', current?.targets, targets),
    ...[...roles].flatMap(([name, role]) => changedFile(name, current?.roles.get(name), role)),
  ]);
  const snapshot = forBoth('snapshot', nextSnapshot(current, root.signed, { targets, roles, files }, signing));
  const snapshotFiles = new Map(changedFile('snapshot', current?.snapshot, snapshot));
  const snapshotFile = snapshotFiles.get('snapshot');
  const timestamp = forBoth('timestamp', nextTimestamp(current, root.signed, snapshot, snapshotFile, signing));
  const rootFiles = [...new Map(changedFile('root', current?.root, root)).values()];
  const timestampFiles = [...new Map(changedFile('timestamp', current?.timestamp, timestamp)).values()];
  const isRootLast = oldRoot !== null && isGoodUnder(oldRoot, { targets, snapshot, timestamp });
  const stages = [
    newCopies(current, roles, contents ?? { series: [], indexes: channels ?? new Map() }),
    [...files.values()],
    [...snapshotFiles.values()],
    ...(isRootLast ? [timestampFiles, rootFiles] : [rootFiles, timestampFiles]),
  ].filter((stage) => stage.length > 0);
  return stages.length === 0 ? null : { repository: { root, targets, roles, snapshot, timestamp }, stages };
}

function nextRoot(current: Repository | null, drafts: Drafts, signing: Signing): Envelope<RootDocument> {
  const draft = drafts.root;
  if (draft !== null) {
    const file = metadataPath('root', draft.signed.version);
    if (current === null) checkVersion(draft, 1, file);
    else checkNextRoot(draft, current.root.signed, file);
    return draft;
  }
  if (current === null) throw noDraft('root');
  const { signed } = current.root;
  return renew(current.root, (common) => ({ ...signed, ...common }), topSigners(signed, 'root'), signing);
}

function nextTargets(
  current: Repository | null,
  root: RootDocument,
  drafts: Drafts,
  { contents, online }: Pick<RepositoryChange, 'contents' | 'online'>,
  signing: Signing,
): Envelope<TargetsDocument> {
  const version = (current?.targets.signed.version ?? 0) + 1;
  if (drafts.targets !== null) checkVersion(drafts.targets, version, metadataPath('targets', version));
  const base = drafts.targets ?? current?.targets;
  if (base === undefined) throw noDraft('targets');
  const signers = topSigners(root, 'targets');
  const delegations = contents && neededDelegations(base.signed.delegations, contents, online, signers, signing);
  if (delegations !== null) {
    const expires = expiresAt(signing.now, signing.lifetimes.targets);
    const next = versionAfter(current?.targets.signed.version ?? 0, 'targets');
    return signWith({ ...base.signed, version: next, expires, delegations }, signers, signing.keys);
  }
  return renew(base, (common) => ({ ...base.signed, ...common }), signers, signing);
}

/** Null when everything is delegated that the contents need. */
function neededDelegations(
  delegations: Delegations | undefined,
  contents: RepositoryContents,
  online: OnlineAssignments | null,
  signers: Signers,
  { keys }: Signing,
): Delegations | null {
  const missing = findMissing(delegations, contents);
  if (missing.size === 0 && hasRole(delegations, MIRROR_ROLE)) return null;
  if (online !== null && canSign(signers, keys)) return addDelegations(delegations, missing, online);
  const names = missing.size === 0 ? `role ${MIRROR_ROLE}` : `series ${[...missing.keys()].join(', ')}`;
  const fault = keysMissing(signers, keys);
  throw new UpdateRepositoryError('CONFIG', `${names}: expected a delegation of it, found none; ${fault.message}`, {
    data: { ...fault.data, series: [...missing.keys()] },
    hint: 'delegate it with `key sign` where the keys of targets are',
  });
}

function nextRoles(
  current: Repository | null,
  targets: TargetsDocument,
  { contents, channels }: Pick<RepositoryChange, 'contents' | 'channels'>,
  signing: Signing,
): Map<string, Envelope<TargetsDocument>> {
  const before = current?.roles ?? new Map<string, Envelope<TargetsDocument>>();
  const delegations = targets.delegations ?? { keys: {}, roles: [] };
  const bodies =
    contents === null ? currentBodies(delegations, before, channels) : roleBodies(delegations, contents, before);
  const next = new Map<string, Envelope<TargetsDocument>>();
  for (const [role, { roleKeys, content }] of bodies) {
    const make = (common: CommonMembers): TargetsDocument => ({ _type: 'targets', ...common, ...content });
    next.set(role, renew(before.get(role) ?? null, make, { role, roleKeys, keys: delegations.keys }, signing));
  }
  return next;
}

interface SnapshotParts {
  readonly targets: Envelope<TargetsDocument>;
  readonly roles: ReadonlyMap<string, Envelope<TargetsDocument>>;
  /** Those that are new. */
  readonly files: ReadonlyMap<string, RepositoryFile>;
}

/** A file that an earlier snapshot had stays in it: a client takes its absence for a rollback (section 5.5.5). */
function nextSnapshot(
  current: Repository | null,
  root: RootDocument,
  { targets, roles, files }: SnapshotParts,
  signing: Signing,
): Envelope<SnapshotDocument> {
  const claims: Record<string, FileClaim> = { ...current?.snapshot.signed.meta };
  for (const [role, { signed }] of [['targets', targets] as const, ...roles]) {
    const file = files.get(role);
    if (file !== undefined) claims[`${role}.json`] = claimOf(file.text, signed.version);
  }
  const make = (common: CommonMembers): SnapshotDocument => ({ _type: 'snapshot', ...common, meta: claims });
  return renew(current?.snapshot ?? null, make, topSigners(root, 'snapshot'), signing);
}

function nextTimestamp(
  current: Repository | null,
  root: RootDocument,
  { signed: snapshot }: Envelope<SnapshotDocument>,
  snapshotFile: RepositoryFile | undefined,
  signing: Signing,
): Envelope<TimestampDocument> {
  const before = current?.timestamp ?? null;
  const claim = snapshotFile === undefined ? undefined : claimOf(snapshotFile.text, snapshot.version);
  const newest = claim ?? before?.signed.meta['snapshot.json'];
  if (newest === undefined) throw noDraft('snapshot');
  const make = (common: CommonMembers): TimestampDocument => ({
    _type: 'timestamp',
    ...common,
    meta: { 'snapshot.json': newest },
  });
  return renew(before, make, topSigners(root, 'timestamp'), signing);
}

/**
 * The document that `make` makes, signed: the previous one while it says the same, is signed as it has to be, and is not
 * due, or is due while its keys are not at hand; else the next version of it.
 */
function renew<Document extends TufDocument>(
  previous: Envelope<Document> | null,
  make: (common: CommonMembers) => Document,
  signers: Signers,
  { keys, lifetimes, now }: Signing,
): Envelope<Document> {
  const lifetime = lifetimeOf(signers.role, lifetimes);
  if (previous !== null && isSigned(previous, signers)) {
    const { spec_version, version, expires } = previous.signed;
    const same = canonicalJson(make({ spec_version, version, expires })) === canonicalJson(previous.signed);
    if (same && !(isDue(expires, now, lifetime) && canSign(signers, keys))) return previous;
  }
  const version = versionAfter(previous?.signed.version ?? 0, signers.role);
  const common = { spec_version: SPEC_VERSION, version, expires: expiresAt(now, lifetime) };
  return signWith(make(common), signers, keys);
}

/** The file of a role, where it is another document than before. */
function changedFile(role: string, before: Envelope | undefined, after: Envelope): [string, RepositoryFile][] {
  if (before === after) return [];
  const path = metadataPath(role, after.signed.version);
  const text = renderEnvelope(after);
  const sizeBytes = Buffer.byteLength(text);
  const maxBytes = MAX_BYTES[after.signed._type];
  if (sizeBytes <= maxBytes) return [[role, { path, text }]];
  throw new UpdateRepositoryError(
    'CONFIG',
    `${path}: expected at most the ${maxBytes} bytes that clients take, found ${sizeBytes} for ${entryCount(after)}`,
    { data: { path, maxBytes, sizeBytes } },
  );
}

function entryCount({ signed }: Envelope): string {
  switch (signed._type) {
    case 'root':
      return `${Object.keys(signed.keys).length} keys`;
    case 'targets':
      return `${Object.keys(signed.targets).length} files and ${signed.delegations?.roles.length ?? 0} delegated roles`;
    case 'snapshot':
      return `${Object.keys(signed.meta).length} roles`;
    case 'timestamp':
      return 'one snapshot';
  }
}

/** The copies of the indexes that roles speak of, and did not before. */
function newCopies(
  current: Repository | null,
  roles: Repository['roles'],
  { series, indexes }: RepositoryContents,
): RepositoryFile[] {
  const all: [role: string, path: string, index: IndexFile][] = [
    ...series.map(({ name, meta }): [string, string, IndexFile] => [name, metaPath(name), meta]),
    ...[...indexes].map(([path, index]): [string, string, IndexFile] => [MIRROR_ROLE, path, index]),
  ];
  return all.flatMap(([role, path, { text, entry }]) => {
    const { sha256 } = entry.hashes;
    const isIn = (signed: Repository['roles'] | undefined) =>
      signed?.get(role)?.signed.targets[path]?.hashes.sha256 === sha256;
    return isIn(roles) && !isIn(current?.roles) ? [{ path: hashNamedCopy(path, sha256), text }] : [];
  });
}

function noDraft(role: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `role ${role}: expected its first metadata, found none`, {
    hint: 'make the first root and targets with `key init`',
  });
}
