import { UpdateRepositoryError } from '../errors.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import { allImmutables, type Release, type ReleaseObject } from './release.js';
import { namedPaths, type PendingFile, type PublishedFile, type RemoteState } from './remote-state.js';
import type { StoredObject } from './storage.js';

/** What there is to do so that a storage has a release. */
export interface PublishPlan {
  /** Immutables that are missing, or that a publish was killed over. */
  readonly uploads: readonly ReleaseObject[];
  /** Immutables that are there with the right size, though no publish of ours found them to be right. */
  readonly checks: readonly ReleaseObject[];
  /** Immutables that a publish has found to be right and nobody has touched since, as they are remembered. */
  readonly kept: readonly PublishedFile[];
  /** Indexes that differ, by stage; a stage without any is left out. */
  readonly indexStages: readonly (readonly ReleaseObject[])[];
  /** Indexes that are there as they are to be. */
  readonly keptIndexes: readonly PublishedFile[];
  /** Indexes of the last generation that this one has no more: they go when the new ones are there. */
  readonly withdrawn: readonly string[];
  /** Objects of others, which are left alone. */
  readonly foreign: number;
  /** A publish was stopped before its end: what it stored has to be named, or noted as named no more. */
  readonly unfinished: boolean;
}

/** All objects of a storage, by path. */
type Listed = ReadonlyMap<string, StoredObject>;

/** Whether readers would see anything else after it. */
export function isNoop({ uploads, checks, indexStages, withdrawn, unfinished }: PublishPlan): boolean {
  return uploads.length + checks.length + indexStages.length + withdrawn.length === 0 && !unfinished;
}

/**
 * Compares a release with what a storage has. Pure.
 *
 * @throws UpdateRepositoryError NAME_REUSED when a published name would get other bytes
 */
export function planPublish(release: Release, listed: Listed, state: RemoteState, storage: string): PublishPlan {
  const current = state.generations[0];
  const known = new Map(
    state.generations.toReversed().flatMap(({ immutables }) => immutables.map((file) => [file.path, file])),
  );
  const published = new Map(
    [...(current?.immutables ?? []), ...state.pending.immutables].map((file) => [file.path, file]),
  );
  const lastIndexes = lastIndexesOf(state);
  const uploads: ReleaseObject[] = [];
  const checks: ReleaseObject[] = [];
  const kept: PublishedFile[] = [];
  const immutables = allImmutables(release);
  for (const object of immutables) {
    requireSameBytes(object, published.get(object.path), storage);
    const before = known.get(object.path);
    const found = listed.get(object.path);
    const differs = before !== undefined && before.sha256 !== object.sha256;
    if (found !== undefined && found.sizeBytes !== object.sizeBytes) {
      requireOurs(object, `${found.sizeBytes} bytes`, state, storage);
    }
    if (found === undefined || found.sizeBytes !== object.sizeBytes || differs) uploads.push(object);
    else if (before === undefined || before.revision !== found.revision) checks.push(object);
    else kept.push(before);
  }
  const isKept = keptIndexes(listed, lastIndexes);
  const indexes = release.indexStages.flat();
  const own = new Set([...immutables, ...indexes].map(({ path }) => path));
  const indexPaths = new Set([...lastIndexes.keys(), ...state.pending.indexes]);
  const remembered = new Set([...namedPaths(state), ...indexPaths, ...state.dropped.keys()]);
  return {
    uploads,
    checks,
    kept,
    indexStages: release.indexStages
      .map((stage) => stage.filter((object) => !isKept(object)))
      .filter(({ length }) => length > 0),
    keptIndexes: indexes.filter(isKept).flatMap(({ path }) => lastIndexes.get(path) ?? []),
    withdrawn: [...indexPaths].filter((path) => !own.has(path)),
    foreign: [...listed.keys()].filter(
      (path) => !own.has(path) && !remembered.has(path) && !path.startsWith(`${PRIVATE_DIR}/`),
    ).length,
    unfinished: state.pending.immutables.length + state.pending.indexes.length > 0,
  };
}

/** Whether a storage has the last stage of a release as it is to be. */
export function hasLastStage({ indexStages }: Release, listed: Listed, state: RemoteState): boolean {
  return (indexStages.at(-1) ?? []).every(keptIndexes(listed, lastIndexesOf(state)));
}

/** Which indexes are there as they are to be. */
function keptIndexes(
  listed: Listed,
  lastIndexes: ReadonlyMap<string, PublishedFile>,
): (object: ReleaseObject) => boolean {
  return ({ path, sha256 }) => {
    const before = lastIndexes.get(path);
    return before?.sha256 === sha256 && listed.get(path)?.revision === before.revision;
  };
}

function lastIndexesOf({ generations }: RemoteState): ReadonlyMap<string, PublishedFile> {
  return new Map(generations[0]?.indexes.map((file) => [file.path, file]));
}

/** Clients and caches keep what they have of a name. */
function requireSameBytes(object: ReleaseObject, before: PendingFile | undefined, storage: string): void {
  if (before === undefined || before.sha256 === object.sha256) return;
  throw new UpdateRepositoryError(
    'NAME_REUSED',
    `${storage}: ${object.path}: published with sha256 ${before.sha256}, expected the same, found ${object.sha256}`,
    {
      data: { path: object.path, expected: before.sha256, found: object.sha256 },
      hint: 'give the new bytes a new name, or publish the mirror without them first: clients may hold the old ones',
    },
  );
}

/**
 * Indexes of somebody else may name what is there: it is replaced only where this program has stored something under its
 * path, as far as that is remembered. `found` is what is there.
 *
 * @throws UpdateRepositoryError NAME_REUSED
 */
export function requireOurs(
  { path, sizeBytes, sha256 }: ReleaseObject,
  found: string,
  state: RemoteState,
  storage: string,
): void {
  if (state.dropped.has(path) || namedPaths(state).has(path)) return;
  const expected = `none, or ${sizeBytes} bytes with sha256 ${sha256}`;
  throw new UpdateRepositoryError(
    'NAME_REUSED',
    `${storage}: ${path}: expected ${expected}, found ${found} of somebody else`,
    {
      data: { path, expected, found },
      hint: 'remove it there if nobody needs it, or publish to another place',
    },
  );
}
