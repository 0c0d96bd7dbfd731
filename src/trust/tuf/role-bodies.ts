import { createHash } from 'node:crypto';
import { isChannelPath } from '../../metadata/channel.js';
import { metaPath } from '../../metadata/mirror-paths.js';
import type { IndexFile, RepositoryContents } from './contents.js';
import { familyOwners, onlyUsed } from './delegations.js';
import type { DelegatedRole, Delegations, Envelope, RoleKeys, TargetEntry, TargetsDocument } from './documents.js';
import { familyOf } from './families.js';
import { binName, MIRROR_ROLE } from './role-names.js';

/** What a delegated role, or a part of a large one, says, and who signs for it. */
export interface RoleBody {
  readonly roleKeys: RoleKeys;
  readonly content: Pick<TargetsDocument, 'targets' | 'delegations'>;
}

/** By the names of roles and parts. */
export type RoleBodies = ReadonlyMap<string, RoleBody>;

type Files = readonly (readonly [path: string, entry: TargetEntry])[];

/**
 * A series of more files is split into 16 parts, by the first digit of the sha256 of a path. One role with 10,000 files
 * would stay below what clients download, at 400 bytes a file; but tuf-js takes time by the square of their number to
 * read it: 0.2 s for 1,000 files, 50 s for 10,000.
 */
export const MAX_UNSPLIT_FILES = 1_000;

const DIGITS = [...'0123456789abcdef'];

/**
 * What each role that targets delegates to has to say of these contents; nothing, for a series that is gone. The files
 * go to the role that owns their family, whichever series lists them. A role that was split once (`current`) stays so:
 * no snapshot may lack a file that an earlier one had.
 */
export function roleBodies(
  delegations: Delegations,
  contents: RepositoryContents,
  current: ReadonlyMap<string, Envelope<TargetsDocument>>,
): RoleBodies {
  const files = filesByRole(delegations, contents);
  const indexes = indexesByRole(contents);
  return new Map(
    delegations.roles.flatMap((role) => {
      const others = [...(files.get(role.name) ?? [])];
      const split = others.length > MAX_UNSPLIT_FILES || isSplit(current.get(role.name));
      return bodiesOf(delegations, role, indexes.get(role.name) ?? [], others, split);
    }),
  );
}

/**
 * What the roles say now, with the keys that `delegations` gives them; of the channels that of the mirror says these instead,
 * where they are given.
 */
export function currentBodies(
  delegations: Delegations,
  current: ReadonlyMap<string, Envelope<TargetsDocument>>,
  channels?: ReadonlyMap<string, IndexFile>,
): RoleBodies {
  const filesOf = (name: string): Files => Object.entries(current.get(name)?.signed.targets ?? {});
  const indexesOf = (name: string): Files => {
    if (name !== MIRROR_ROLE || channels === undefined) return filesOf(name);
    const others = filesOf(name).filter(([path]) => !isChannelPath(path));
    return [...others, ...[...channels].map(([path, { entry }]) => [path, entry] as const)];
  };
  return new Map(
    delegations.roles.flatMap((role) => {
      const others = DIGITS.flatMap((digit) => filesOf(binName(role.name, digit)));
      return bodiesOf(delegations, role, indexesOf(role.name), others, isSplit(current.get(role.name)));
    }),
  );
}

function isSplit(role: Envelope<TargetsDocument> | undefined): boolean {
  return role?.signed.delegations !== undefined;
}

function filesByRole(
  delegations: Delegations,
  { series }: RepositoryContents,
): ReadonlyMap<string, ReadonlyMap<string, TargetEntry>> {
  const owners = familyOwners(delegations);
  const byRole = new Map<string, Map<string, TargetEntry>>();
  for (const [path, entry] of series.flatMap(({ files }) => [...files])) {
    const owner = owners.get(familyOf(path).family);
    if (owner === undefined) continue;
    const files = byRole.get(owner) ?? new Map<string, TargetEntry>();
    // An image may stand in two series: the first place counts, as in CKSUMS.
    if (!files.has(path)) files.set(path, entry);
    byRole.set(owner, files);
  }
  return byRole;
}

function indexesByRole({ series, indexes }: RepositoryContents): ReadonlyMap<string, Files> {
  return new Map<string, Files>([
    ...series.map(({ name, meta }) => [name, [[metaPath(name), meta.entry]]] as const),
    [MIRROR_ROLE, [...indexes].map(([path, { entry }]) => [path, entry])],
  ]);
}

/** The meta file stays with the role itself, so that a client that wants nothing else need not load a part. */
function bodiesOf(
  { keys }: Delegations,
  { name, keyids, threshold }: DelegatedRole,
  indexes: Files,
  files: Files,
  split: boolean,
): [name: string, body: RoleBody][] {
  const roleKeys = { keyids, threshold };
  if (!split) return [[name, { roleKeys, content: { targets: Object.fromEntries([...indexes, ...files]) } }]];
  const roles = DIGITS.map((digit) => ({
    name: binName(name, digit),
    ...roleKeys,
    terminating: true as const,
    path_hash_prefixes: [digit],
  }));
  const delegations = { keys: onlyUsed(keys, roles), roles };
  const bins = new Map(DIGITS.map((digit) => [digit, files.filter(([path]) => firstDigit(path) === digit)]));
  return [
    [name, { roleKeys, content: { targets: Object.fromEntries(indexes), delegations } }],
    ...[...bins].map(([digit, part]): [string, RoleBody] => [
      binName(name, digit),
      { roleKeys, content: { targets: Object.fromEntries(part) } },
    ]),
  ];
}

function firstDigit(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 1);
}
