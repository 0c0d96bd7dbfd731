// Packages of the npm registry that are one big executable or library each, in two neighbouring releases.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fetchTarball } from '../../demo/tarballs.mjs';

/** @typedef {import('./tree.mjs').Package} Package */

/** @type {readonly {name: string, old: string, new: string}[]} */
const binaries = [
  { name: '@biomejs/cli-linux-x64', old: '2.6.7', new: '2.6.8' },
  { name: '@cloudflare/workerd-linux-64', old: '1.20261110.1', new: '1.20261117.1' },
  { name: '@next/swc-linux-x64-gnu', old: '16.4.5', new: '16.4.6' },
  { name: '@swc/core-linux-x64-gnu', old: '1.16.21', new: '1.16.22' },
];

/**
 * The packages of the older or of the newer image.
 * @param {'old' | 'new'} version
 * @returns {Package[]}
 */
export function npmBinaries(version) {
  return binaries.map((entry) => ({ name: entry.name, version: entry[version] }));
}

/**
 * Fetches and unpacks a package below `cache`, once. Returns a folder that holds it as `npm install` leaves it.
 * @param {string} cache
 * @param {Package} wanted
 */
export function installedPackage(cache, { name, version }) {
  const folder = join(cache, 'npm', `${name.replace('/', '-')}-${version}`);
  if (existsSync(folder)) return folder;
  const tarballs = join(cache, 'tarballs');
  mkdirSync(dirname(join(tarballs, name)), { recursive: true });
  const tarball = fetchTarball(tarballs, name, version);
  const place = join(`${folder}.tmp`, 'node_modules', name);
  rmSync(`${folder}.tmp`, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', place]);
  renameSync(`${folder}.tmp`, folder);
  return folder;
}
