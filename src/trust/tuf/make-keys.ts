import { join } from 'node:path';
import { writeFileAtomic } from '../../io/atomic-file.js';
import { requireEmptyDirectory } from '../../io/empty-directory.js';
import type { Passphrase } from '../passphrase.js';
import type { RepositoryContents } from './contents.js';
import { renderDrafts, signDrafts } from './drafts.js';
import { type Assignments, firstDrafts, type Making } from './key-changes.js';
import { saveKey } from './key-directory.js';
import type { KeyRole } from './role-names.js';
import { type KeyType, SigningKey } from './signing-key.js';

/** Which keys a new repository gets. */
export interface KeyPlan {
  readonly type: KeyType;
  readonly rootKeys: number;
  /** How many of the root keys have to sign. */
  readonly threshold: number;
  /**
   * What a guess at the passphrase costs, scrypt's `n`: a power of two from 2^14 to 2^20; 2^17, half a second and 128 MiB,
   * where it is left out.
   */
  readonly scryptN?: number;
}

/** What a mirror has before its first build. */
export const NO_CONTENTS: RepositoryContents = { series: [], indexes: new Map() };

/**
 * Makes the keys of a new repository in a directory of their own: those of root, and one each for targets, snapshot and
 * timestamp, and one for all series and the mirror's indexes. The first root and targets are written beside them last,
 * signed by all.
 *
 * @returns the paths of the files.
 * @throws UpdateRepositoryError CONFIG when the directory is not empty, or for a threshold that cannot be met.
 */
export async function makeKeys(
  directory: string,
  { type, rootKeys, threshold, scryptN }: KeyPlan,
  passphrase: Passphrase,
  making: Making,
): Promise<string[]> {
  await requireEmptyDirectory(directory);
  const one = (...roles: KeyRole[]): NewKey => ({ roles, key: SigningKey.generate(type) });
  const roots = Array.from({ length: rootKeys }, () => one('root'));
  const all = [...roots, one('targets'), one('snapshot'), one('timestamp'), one('series', 'mirror')];
  const drafts = firstDrafts(assignmentsOf(all, threshold), NO_CONTENTS, making);
  const keys = all.map(({ key }) => key);
  const paths: string[] = [];
  for (const { key, roles } of all) paths.push(await saveKey(directory, key, roles, passphrase.reveal(), scryptN));
  for (const [name, text] of renderDrafts(signDrafts(drafts, null, keys))) {
    const path = join(directory, name);
    await writeFileAtomic(path, text, `${path}.new`);
    paths.push(path);
  }
  return paths;
}

interface NewKey {
  readonly roles: readonly KeyRole[];
  readonly key: SigningKey;
}

function assignmentsOf(all: readonly NewKey[], threshold: number): Assignments {
  const of = (role: KeyRole) => {
    return all.filter(({ roles }) => roles.includes(role)).map(({ key }) => key.publicKey);
  };
  const one = (role: KeyRole) => ({ keys: of(role), threshold: 1 });
  return {
    root: { keys: of('root'), threshold },
    targets: one('targets'),
    snapshot: one('snapshot'),
    timestamp: one('timestamp'),
    series: one('series'),
    mirror: one('mirror'),
  };
}
