// A real series: squashfs images of real Debian packages, of which each version of the image has more updated to the
// newest release, a few added and a few left out, as a distribution lives.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageVersions, unpackedPackage, withoutIndirection } from './debian-packages.mjs';
import { writeSquashfs } from './squashfs.mjs';
import { dpkgStatus, withTrees } from './tree.mjs';

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
export function makeSeries(cache) {
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
  const present = packagesOf(version);
  const folders = present.map((found) => unpackedPackage(cache, found));
  withTrees(cache, [{ folders, files: identityFiles(version, name, present) }], ([tree]) => {
    writeSquashfs(String(tree), join(cache, 'images', name), 'gzip');
  });
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
 * @param {number} version
 * @param {string} name
 * @param {readonly import('./tree.mjs').Package[]} present
 */
function identityFiles(version, name, present) {
  const definitions = {
    'puavo.bench.version': { default: String(version), description: 'Version', typehint: 'integer' },
  };
  return {
    'etc/puavo-image/name': `${name}\n`,
    'etc/puavo-image/class': 'bench\n',
    'etc/puavo-image/release': `Release ${version}\n`,
    'usr/share/puavo-conf/definitions/puavo-bench.json': JSON.stringify(definitions),
    'var/lib/dpkg/status': dpkgStatus(present),
  };
}
