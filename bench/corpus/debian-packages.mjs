// Real Debian packages, fetched by apt-get and unpacked by dpkg-deb: no root, nothing is installed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/** @typedef {import('./tree.mjs').Package} Package */

/**
 * The oldest and the newest version of a package that the package lists know: with Debian's security updates beside
 * the release there often are two. Throws where the lists have none.
 * @param {string} name
 * @returns {{oldest: Package, newest: Package}}
 */
export function packageVersions(name) {
  // Lines of `name | version | source`, the newest version first.
  const lines = run('apt-cache', ['madison', name])
    .split('\n')
    .filter((line) => !line.includes('Sources'));
  const versions = lines.flatMap((line) => line.split('|')[1]?.trim() ?? []);
  const [newest, oldest] = [versions[0], versions.at(-1)];
  if (newest === undefined || oldest === undefined) {
    throw new Error(
      `${name}: expected a version in the package lists, found none: run apt-get update, or take --images`,
    );
  }
  return { oldest: { name, version: oldest }, newest: { name, version: newest } };
}

/**
 * The package itself or, for one that only names the current kernel, the kernel that it depends on.
 * @param {Package} meta
 * @returns {Package}
 */
export function withoutIndirection(meta) {
  if (meta.name !== 'linux-image-amd64') return meta;
  const text = run('apt-cache', ['show', `${meta.name}=${meta.version}`]);
  const kernel = /^Depends: (linux-image-\S+) \(= ([^)]+)\)/m.exec(text);
  if (kernel === null)
    throw new Error(`${meta.name} ${meta.version}: expected one kernel that it depends on, found none`);
  return { name: String(kernel[1]), version: String(kernel[2]) };
}

/**
 * Fetches and unpacks a package below `cache`, once. Returns the folder that holds its files.
 * @param {string} cache
 * @param {Package} wanted
 */
export function unpackedPackage(cache, wanted) {
  const id = `${wanted.name}_${wanted.version.replaceAll(/[:/]/g, '-')}`;
  const folder = join(cache, 'packages', id);
  if (existsSync(folder)) return folder;
  const scratch = `${folder}.tmp`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(join(scratch, 'root'), { recursive: true });
  console.error(`fetching ${basename(folder)}`);
  run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', `${wanted.name}=${wanted.version}`], scratch);
  const archive = readdirSync(scratch).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error(`${id}: apt-get download left no package`);
  run('dpkg-deb', ['-x', join(scratch, archive), join(scratch, 'root')]);
  renameSync(join(scratch, 'root'), folder);
  rmSync(scratch, { recursive: true });
  return folder;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
function run(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
