import { UpdateRepositoryError } from '../../errors.js';
import type { RepositoryContents } from './contents.js';
import {
  addDelegations,
  findMissing,
  keyTableOf,
  type OnlineAssignments,
  onlyUsed,
  type RoleAssignment,
  roleKeysOf,
} from './delegations.js';
import {
  type KeyId,
  type KeyTable,
  type RoleKeys,
  type RootDocument,
  SPEC_VERSION,
  type TargetsDocument,
  TOP_ROLES,
  type TopRole,
  type TufKey,
} from './documents.js';
import type { Drafts } from './drafts.js';
import { expiresAt, type Lifetime, type Lifetimes } from './lifetimes.js';
import { keyIdOf } from './public-key.js';
import { type Repository, topSigners } from './repository.js';
import type { KeyRole } from './role-names.js';
import { isSigned } from './signatures.js';
import { versionAfter } from './versions.js';

/** Who signs for what in a new repository. */
export type Assignments = Readonly<Record<KeyRole, RoleAssignment>>;

/** When metadata is made, and for how long. */
export interface Making {
  readonly lifetimes: Lifetimes;
  readonly now: Date;
}

/** A key that goes, and the one that takes its place in every role, or in the named ones. */
export interface KeyChange {
  readonly from: KeyId;
  /** Null where nothing takes its place: the other keys of its roles have to suffice. */
  readonly to: TufKey | null;
  /** Top-level and delegated roles; null for all that the key signs for. */
  readonly roles: readonly string[] | null;
}

/**
 * The first root and targets, still without signatures; what the contents need is delegated. Throws CONFIG for a role
 * whose threshold its keys cannot meet.
 */
export function firstDrafts(assignments: Assignments, contents: RepositoryContents, making: Making): Drafts {
  for (const [role, assignment] of Object.entries(assignments)) checkThreshold(role, roleKeysOf(assignment));
  const online: OnlineAssignments = assignments;
  const root: RootDocument = {
    _type: 'root',
    ...firstMembers('root', making),
    consistent_snapshot: true,
    keys: keyTableOf(TOP_ROLES.flatMap((role) => assignments[role].keys)),
    roles: topRoles((role) => roleKeysOf(assignments[role])),
  };
  const delegations = addDelegations(undefined, findMissing(undefined, contents), online);
  const targets: TargetsDocument = { _type: 'targets', ...firstMembers('targets', making), targets: {}, delegations };
  return { root: { signatures: [], signed: root }, targets: { signatures: [], signed: targets } };
}

/**
 * The next root, where the key has a say in a top-level role, and the next targets, where it signs for a delegated one or
 * what the others signed of targets does not suffice; both still without signatures. A new root is signed by the old root keys
 * and the new ones. With them published, all that the old key had signed alone is signed anew.
 *
 * @throws UpdateRepositoryError CONFIG when the key has no part in these roles, when its successor has one already, or
 * when the keys that stay are fewer than the threshold.
 */
export function changeKey({ root, targets }: Repository, change: KeyChange, making: Making): Drafts {
  const nextRoot = changeInRoot(root.signed, change, making);
  const mustBeSigned = nextRoot !== null && !isSigned(targets, topSigners(nextRoot, 'targets'));
  const nextTargets = changeInTargets(targets.signed, change, mustBeSigned, making);
  if (nextRoot === null && nextTargets === null) {
    const where = change.roles === null ? 'any role' : `role ${change.roles.join(', ')}`;
    throw configError(`key ${change.from}: expected a key of ${where}, found that it signs for none`, change.from);
  }
  return {
    root: nextRoot && { signatures: [], signed: nextRoot },
    targets: nextTargets && { signatures: [], signed: nextTargets },
  };
}

/** The same root and targets, good for as long as new ones are; both still without signatures. */
export function renewedDrafts({ root, targets }: Repository, { lifetimes, now }: Making): Drafts {
  const anew = <Document extends RootDocument | TargetsDocument>(signed: Document, lifetime: Lifetime) => {
    return { signatures: [], signed: { ...signed, version: signed.version + 1, expires: expiresAt(now, lifetime) } };
  };
  return { root: anew(root.signed, lifetimes.root), targets: anew(targets.signed, lifetimes.targets) };
}

function changeInRoot(root: RootDocument, change: KeyChange, { lifetimes, now }: Making): RootDocument | null {
  const roles = topRoles((role) => changed(role, root.roles[role], change));
  if (TOP_ROLES.every((role) => roles[role] === root.roles[role])) return null;
  return {
    ...root,
    version: versionAfter(root.version, 'root'),
    expires: expiresAt(now, lifetimes.root),
    keys: onlyUsed(withSuccessor(root.keys, change), Object.values(roles)),
    roles,
  };
}

function changeInTargets(
  targets: TargetsDocument,
  change: KeyChange,
  mustBeSigned: boolean,
  { lifetimes, now }: Making,
): TargetsDocument | null {
  const { keys = {}, roles: before = [] } = targets.delegations ?? {};
  const roles = before.map((role) => changed(role.name, role, change));
  if (!mustBeSigned && roles.every((role, index) => role === before[index])) return null;
  return {
    ...targets,
    version: versionAfter(targets.version, 'targets'),
    expires: expiresAt(now, lifetimes.targets),
    delegations: { keys: onlyUsed(withSuccessor(keys, change), roles), roles },
  };
}

/** The same object where the change is none of this role's. */
function changed<Role extends RoleKeys>(name: string, role: Role, { from, to, roles }: KeyChange): Role {
  if (!role.keyids.includes(from) || (roles !== null && !roles.includes(name))) return role;
  const successor = to && keyIdOf(to);
  if (successor !== null && role.keyids.includes(successor)) {
    throw configError(`role ${name}: expected a new key, found ${successor} in it already`, successor);
  }
  const keyids = role.keyids.flatMap((id) => (id === from ? (successor ?? []) : id));
  const next = { ...role, keyids };
  checkThreshold(name, next);
  return next;
}

function withSuccessor(keys: KeyTable, { to }: KeyChange): KeyTable {
  return to === null ? keys : { ...keys, ...keyTableOf([to]) };
}

function checkThreshold(role: string, { keyids, threshold }: RoleKeys): void {
  const count = new Set(keyids).size;
  if (count === keyids.length && Number.isSafeInteger(threshold) && threshold >= 1 && threshold <= count) return;
  throw new UpdateRepositoryError(
    'CONFIG',
    `role ${role}: expected at least as many different keys as have to sign, found ${count} for a threshold of ${threshold}`,
    { data: { role, threshold, keys: count } },
  );
}

function topRoles(of: (role: TopRole) => RoleKeys): Readonly<Record<TopRole, RoleKeys>> {
  return { root: of('root'), targets: of('targets'), snapshot: of('snapshot'), timestamp: of('timestamp') };
}

function firstMembers(role: 'root' | 'targets', { lifetimes, now }: Making) {
  return { spec_version: SPEC_VERSION, version: 1, expires: expiresAt(now, lifetimes[role]) };
}

function configError(message: string, keyid: KeyId): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', message, { data: { keyid } });
}
