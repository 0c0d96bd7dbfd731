// The pairs of images that deltas are measured on, each made once below the cache directory: 10 GB of disk in all.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { desktop } from './desktop.mjs';
import { ext4Size, writeExt4 } from './ext4.mjs';
import { installedPackage, npmBinaries } from './npm-packages.mjs';
import { writeSquashfs } from './squashfs.mjs';
import { withTrees } from './tree.mjs';

/** @typedef {'fast' | 'normal' | 'max'} Effort */

/**
 * `name` says what it is, `kind` what the targets ask by; `effort` is the delta command's own choice where it
 * is left out.
 * @typedef {{name: string, kind?: 'gzip' | 'lzo' | 'xz' | 'zstd' | 'ext4', base: string, target: string, effort?: Effort}} Pair
 */

const squashfsKinds = /** @type {const} */ (['gzip', 'lzo', 'zstd', 'xz']);

/**
 * A large desktop as squashfs by each compressor, a small one as ext4, so that it too is near 1 GB, and big binaries of
 * npm as ext4. Needs apt-get, dpkg-deb, npm, mksquashfs and mkfs.ext4 the first time, and two hours.
 * @param {string} cache
 * @returns {Pair[]}
 */
export function makePairs(cache) {
  mkdirSync(join(cache, 'pairs'), { recursive: true });
  mkdirSync(join(cache, 'packages'), { recursive: true });
  const ext4 = pairAt(cache, 'desktop-ext4');
  const npm = pairAt(cache, 'npm-ext4');
  makeExt4Pair(cache, ext4, () => desktop(cache, 'small'));
  makeExt4Pair(cache, npm, () => npmTrees(cache));
  const squashfs = squashfsKinds.map((kind) => ({ ...pairAt(cache, `desktop-${kind}`), kind }));
  makeSquashfsPairs(cache, squashfs);
  return [
    ...squashfs.map((pair) => ({ ...pair, effort: /** @type {const} */ ('fast') })),
    { ...ext4, kind: /** @type {const} */ ('ext4'), effort: /** @type {const} */ ('normal') },
    { ...npm, effort: /** @type {const} */ ('normal') },
  ];
}

/**
 * @param {string} cache
 * @param {string} name
 */
function pairAt(cache, name) {
  return {
    name,
    base: join(cache, 'pairs', `${name}-old.img`),
    target: join(cache, 'pairs', `${name}-new.img`),
  };
}

/**
 * @param {string} cache
 * @param {readonly {base: string, target: string, kind: (typeof squashfsKinds)[number]}[]} pairs
 */
function makeSquashfsPairs(cache, pairs) {
  const missing = pairs.filter(({ base, target }) => !existsSync(base) || !existsSync(target));
  if (missing.length === 0) return;
  const { old, new: updated } = desktop(cache, 'large');
  withTrees(cache, [old, updated], ([oldTree, newTree]) => {
    for (const { base, target, kind } of missing) {
      writeSquashfs(String(oldTree), base, kind);
      writeSquashfs(String(newTree), target, kind);
    }
  });
}

/**
 * Both trees are there before either image is made, so that what they share has the same times in both: as on a disk
 * that was updated, and not installed twice.
 * @param {string} cache
 * @param {{base: string, target: string}} pair
 * @param {() => Record<'old' | 'new', import('./tree.mjs').Contents>} contents
 */
function makeExt4Pair(cache, { base, target }, contents) {
  if (existsSync(base) && existsSync(target)) return;
  const { old, new: updated } = contents();
  withTrees(cache, [old, updated], (trees) => {
    const sizeBytes = ext4Size(trees);
    for (const [index, path] of [base, target].entries()) writeExt4(String(trees[index]), path, sizeBytes);
  });
}

/** @param {string} cache */
function npmTrees(cache) {
  const contents = (/** @type {'old' | 'new'} */ age) => ({
    folders: npmBinaries(age).map((found) => installedPackage(cache, found)),
    files: {},
  });
  return { old: contents('old'), new: contents('new') };
}
