import { UpdateRepositoryError } from '../../errors.js';
import type { SeriesName } from '../../metadata/brands.js';
import { INDEX_PATTERNS, type RepositoryContents } from './contents.js';
import type { DelegatedRole, Delegations, KeyTable, RoleKeys, TufKey } from './documents.js';
import { type Family, familiesIn, familyOf, patternsOf } from './families.js';
import { keyIdOf } from './public-key.js';
import { checkSeriesRole, MIRROR_ROLE } from './role-names.js';

/** The public keys of a role, and how many of them have to sign. */
export interface RoleAssignment {
  readonly keys: readonly TufKey[];
  readonly threshold: number;
}

/** Who signs for the roles that targets delegates to. */
export interface OnlineAssignments {
  /** For each series that is new. */
  readonly series: RoleAssignment;
  readonly mirror: RoleAssignment;
}

/** What contents need that targets does not delegate yet: by series, the families that are new. */
export type MissingDelegations = ReadonlyMap<SeriesName, readonly Family[]>;

/** The keys of a role by their ids. */
export function roleKeysOf({ keys, threshold }: RoleAssignment): RoleKeys {
  return { keyids: keys.map(keyIdOf), threshold };
}

/** Public keys by their ids. */
export function keyTableOf(keys: readonly TufKey[]): KeyTable {
  return Object.fromEntries(keys.map((key) => [keyIdOf(key), key]));
}

/**
 * What has to be delegated before these contents can be signed. A family has one owner: who has it already; else the
 * series that its own name spells; else the first series that has an image of it; else the first that has a delta.
 * Throws NAME for a series or a file that no pattern can speak of.
 */
export function findMissing(current: Delegations | undefined, contents: RepositoryContents): MissingDelegations {
  const owners = familyOwners(current);
  const missing = new Map<SeriesName, Family[]>();
  for (const { name } of contents.series) {
    checkSeriesRole(name);
    if (!hasRole(current, name)) missing.set(name, []);
  }
  for (const [family, owner] of newOwners(contents)) {
    if (!owners.has(family)) missing.set(owner, [...(missing.get(owner) ?? []), family]);
  }
  return missing;
}

/** Whether the indexes of the mirror have their role. */
export function hasRole(delegations: Delegations | undefined, role: string): boolean {
  return delegations?.roles.some(({ name }) => name === role) ?? false;
}

/** The delegations with what is missing added; a role that is there keeps its keys and its place. */
export function addDelegations(
  current: Delegations | undefined,
  missing: MissingDelegations,
  { series, mirror }: OnlineAssignments,
): Delegations {
  const roles: DelegatedRole[] = (current?.roles ?? []).map((role) => widened(role, missing));
  const added = [...missing].filter(([name]) => !hasRole(current, name));
  const signers = added.length === 0 ? series : inUse(current, series);
  for (const [name, families] of added) roles.push(newRole(name, signers, patternsOf(name, families)));
  if (!hasRole(current, MIRROR_ROLE)) roles.push(newRole(MIRROR_ROLE, mirror, INDEX_PATTERNS));
  const keys = { ...current?.keys, ...keyTableOf(series.keys), ...keyTableOf(mirror.keys) };
  return { keys: onlyUsed(keys, roles), roles };
}

/** The keys of a table that one of these roles asks for. */
export function onlyUsed(keys: KeyTable, roles: readonly RoleKeys[]): KeyTable {
  const used = new Set<string>(roles.flatMap(({ keyids }) => keyids));
  return Object.fromEntries(Object.entries(keys).filter(([id]) => used.has(id)));
}

/** Which role speaks of the files of a family. */
export function familyOwners(delegations: Delegations | undefined): ReadonlyMap<Family, string> {
  const roles = delegations?.roles ?? [];
  return new Map(roles.flatMap(({ name, paths }) => familiesIn(paths ?? []).map((family) => [family, name])));
}

/**
 * Of the keys for a new series those that sign for another one already, where there is one: a directory of keys may still have
 * one that was replaced, or that is not published yet.
 */
function inUse(current: Delegations | undefined, series: RoleAssignment): RoleAssignment {
  const others = (current?.roles ?? []).filter(({ name }) => name !== MIRROR_ROLE);
  if (others.length === 0) return series;
  const known = new Set<string>(others.flatMap(({ keyids }) => keyids));
  const keys = series.keys.filter((key) => known.has(keyIdOf(key)));
  if (keys.length > 0) return { ...series, keys };
  const found = series.keys.map(keyIdOf).join(', ');
  throw new UpdateRepositoryError(
    'CONFIG',
    `role series: expected a key that signs for other series, ${[...known].join(' or ')}, found ${found}, which does not`,
    { data: { keyids: [...known] }, hint: 'copy the file of that key into the directory of keys' },
  );
}

function newRole(name: string, assignment: RoleAssignment, paths: readonly string[]): DelegatedRole {
  return { name, ...roleKeysOf(assignment), terminating: true, paths };
}

function widened(role: DelegatedRole, missing: MissingDelegations): DelegatedRole {
  const [name, families] = [...missing].find(([series]) => series === role.name) ?? [];
  if (name === undefined || families === undefined) return role;
  return { ...role, paths: patternsOf(name, [...familiesIn(role.paths ?? []), ...families]) };
}

interface Claims {
  readonly spelled: string;
  ofImage?: SeriesName;
  ofDelta?: SeriesName;
}

function newOwners({ series }: RepositoryContents): Map<Family, SeriesName> {
  const claims = new Map<Family, Claims>();
  for (const { name, files } of series) {
    for (const path of files.keys()) {
      const { family, series: spelled } = familyOf(path);
      const claim = claims.get(family) ?? { spelled };
      if (path.endsWith('.img')) claim.ofImage ??= name;
      else claim.ofDelta ??= name;
      claims.set(family, claim);
    }
  }
  const names = new Map<string, SeriesName>(series.map(({ name }) => [name, name]));
  const owners = new Map<Family, SeriesName>();
  for (const [family, { spelled, ofImage, ofDelta }] of claims) {
    const owner = names.get(spelled) ?? ofImage ?? ofDelta;
    if (owner !== undefined) owners.set(family, owner);
  }
  return owners;
}
