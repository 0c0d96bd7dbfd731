import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSha256Hex } from '../../../../src/metadata/brands.js';
import { hashNamedCopy } from '../../../../src/trust/tuf/contents.js';
import { inMemoryUpdater } from './stranger.js';

/** What one who trusts the first root of a mirror takes for its state. */
export interface SeenState {
  /** Of each role's metadata. */
  readonly versions: Readonly<Record<string, number>>;
  /** The sha256 of each file that some role vouches for. */
  readonly targets: Readonly<Record<string, string>>;
}

/**
 * Has tuf-js follow the metadata of a mirror, given by its files, and compares every file that a role vouches for with its
 * bytes: an index with those of its hash-named copy. What it remembers is in `folder`, which may be new. Throws where
 * anything is refused, missing or another one.
 */
export async function seeState(folder: string, files: ReadonlyMap<string, Buffer>): Promise<SeenState> {
  mkdirSync(folder, { recursive: true });
  const updater = inMemoryUpdater(folder, files);
  await updater.refresh();
  const served = [...files.keys()].filter((path) => !/^(metadata|\.update-repository)\//.test(path));
  const targets: Record<string, string> = {};
  for (const path of served) {
    const sha256 = (await updater.getTargetInfo(path))?.hashes.sha256;
    if (sha256 === undefined) continue;
    const place = isIndex(path) ? hashNamedCopy(path, parseSha256Hex(sha256, path)) : path;
    const found = createHash('sha256')
      .update(files.get(place) ?? 'missing')
      .digest('hex');
    if (found !== sha256) throw new Error(`${place}: expected sha256 ${sha256}, found ${found}`);
    targets[path] = sha256;
  }
  const roles = new Map(
    readdirSync(folder).map((name) => [name.slice(0, -'.json'.length), readSigned(join(folder, name))]),
  );
  const named = [...roles.values()].flatMap(({ targets }) => Object.keys(targets ?? {}));
  const missing = named.filter((path) => targets[path] === undefined);
  if (missing.length > 0) throw new Error(`${missing.join()}: expected in the mirror, found missing`);
  return { versions: Object.fromEntries([...roles].map(([role, { version }]) => [role, version])), targets };
}

/** A state as one sees it who has not seen the newest root yet: by this one. */
export function underRootOf({ versions, targets }: SeenState, { versions: { root } }: SeenState): SeenState {
  return { versions: { ...versions, ...(root === undefined ? {} : { root }) }, targets };
}

function isIndex(path: string): boolean {
  return !path.includes('/') ? !path.endsWith('.img') : !path.startsWith('rdiffs/');
}

function readSigned(path: string): { readonly version: number; readonly targets?: object } {
  return JSON.parse(readFileSync(path, 'utf8')).signed;
}
