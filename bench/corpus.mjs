// A real series: squashfs images of real Debian packages, of which each version of the image has more updated to the
// newest release, a few added and a few left out, as a distribution lives.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageVersions, unpackedPackage, withoutIndirection } from './debian-packages.mjs';

/** The versions of the series. */
const stamps = ['2025-01-13-060000', '2025-01-27-060000', '2025-02-10-060000', '2025-02-24-060000'];

/**
 * What is in the images. `updatedIn` is the first version (counted from 0) that has the newest release; `in` the
 * versions that have the package at all.
 * @type {readonly {name: string, updatedIn?: number, in?: readonly number[]}[]}
 */
const packages = [
  { name: 'firefox-esr', updatedIn: 3 },
  { name: 'fonts-noto-core' },
  { name: 'gcc-12' },
  { name: 'gimp', in: [0, 1, 2] },
  { name: 'gimp-data', in: [0, 1, 2] },
  { name: 'gnome-shell', updatedIn: 2 },
  { name: 'inkscape', in: [1, 2, 3] },
  { name: 'libc6', updatedIn: 1 },
  { name: 'libgl1-mesa-dri' },
  { name: 'libjavascriptcoregtk-4.1-0', updatedIn: 3 },
  { name: 'libpython3.11-stdlib', updatedIn: 2 },
  { name: 'libreoffice-calc', updatedIn: 1 },
  { name: 'libreoffice-common', updatedIn: 1 },
  { name: 'libreoffice-core', updatedIn: 1 },
  { name: 'libreoffice-writer', updatedIn: 1 },
  { name: 'libwebkit2gtk-4.1-0', updatedIn: 3 },
  { name: 'linux-image-amd64', updatedIn: 1 },
  { name: 'openjdk-17-jre-headless', updatedIn: 3 },
  { name: 'perl-modules-5.36', updatedIn: 2 },
  { name: 'php8.2-cli', updatedIn: 3, in: [2, 3] },
  { name: 'python3.11-minimal', updatedIn: 2 },
  { name: 'samba-libs', updatedIn: 2 },
  { name: 'vim-runtime' },
];

/**
 * Makes the images below `cache`, once, from the packages that apt knows today. Needs apt-get, dpkg-deb, mksquashfs
 * and some 8 GB of disk. Returns the image directory.
 * @param {string} cache
 */
export function makeCorpus(cache) {
  const images = join(cache, 'images');
  mkdirSync(join(cache, 'packages'), { recursive: true });
  mkdirSync(images, { recursive: true });
  for (const version of stamps.keys()) {
    const name = `puavo-os-bench-bookworm-${stamps[version]}-amd64.img`;
    if (!existsSync(join(images, name))) makeImage(cache, version, name);
  }
  return images;
}

/**
 * @param {string} cache
 * @param {number} version
 * @param {string} name
 */
function makeImage(cache, version, name) {
  const tree = mkdtempSync(join(cache, 'tree-'));
  try {
    const present = packagesOf(version);
    for (const folder of present.map((found) => unpackedPackage(cache, found))) {
      execFileSync('cp', ['-al', `${folder}/.`, tree]); // hard links: a tree costs no disk
    }
    writeIdentity(tree, version, name, present);
    const scratch = join(cache, `${name}.tmp`);
    console.error(`making ${name}`);
    const options = ['-noappend', '-no-progress', '-quiet', '-all-root', '-no-xattrs', '-mkfs-time', '1736748000'];
    execFileSync('mksquashfs', [tree, scratch, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
    renameSync(scratch, join(cache, 'images', name));
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

/** @param {number} version */
function packagesOf(version) {
  return packages
    .filter((entry) => entry.in?.includes(version) ?? true)
    .map(({ name, updatedIn }) => {
      const { oldest, newest } = packageVersions(name);
      return withoutIndirection(updatedIn !== undefined && version >= updatedIn ? newest : oldest);
    });
}

/**
 * The files that differ in every image of a distribution: who it is, and what is installed.
 * @param {string} tree
 * @param {number} version
 * @param {string} name
 * @param {readonly import('./debian-packages.mjs').Package[]} present
 */
function writeIdentity(tree, version, name, present) {
  const definitions = {
    'puavo.bench.version': { default: String(version), description: 'Version', typehint: 'integer' },
  };
  const files = {
    'etc/puavo-image/name': `${name}\n`,
    'etc/puavo-image/class': 'bench\n',
    'etc/puavo-image/release': `Release ${version}\n`,
    'usr/share/puavo-conf/definitions/puavo-bench.json': JSON.stringify(definitions),
    'var/lib/dpkg/status': present.map((found) => `Package: ${found.name}\nVersion: ${found.version}\n`).join('\n'),
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
}
