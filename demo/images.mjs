// Images for the demo without root or any system tool: the tar archives of published versions of an npm package. They
// are large, real, and alike from version to version, as a distribution's images are.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fetchTarball } from './tarballs.mjs';

const packageName = 'typescript';

/** Patch releases for the older series, feature releases for the newer; each is dated by the day of its release. */
const images = [
  { version: '5.0.2', image: 'puavo-os-demo-bullseye-2023-03-16-120000-amd64.img' },
  { version: '5.0.3', image: 'puavo-os-demo-bullseye-2023-03-31-120000-amd64.img' },
  { version: '5.0.4', image: 'puavo-os-demo-bullseye-2023-04-07-120000-amd64.img' },
  { version: '5.3.3', image: 'puavo-os-demo-bookworm-2023-12-06-120000-amd64.img' },
  { version: '5.4.5', image: 'puavo-os-demo-bookworm-2024-04-10-120000-amd64.img' },
  { version: '5.5.4', image: 'puavo-os-demo-bookworm-2024-07-22-120000-amd64.img' },
  { version: '5.6.3', image: 'puavo-os-demo-bookworm-2024-10-08-120000-amd64.img' },
];

/**
 * Makes the images of two series below `out`, once. Returns the image directory.
 * @param {string} out
 */
export function makeImages(out) {
  const folder = join(out, 'images');
  mkdirSync(folder, { recursive: true });
  for (const { version, image } of images) {
    const path = join(folder, image);
    if (existsSync(path)) continue;
    const tarball = fetchTarball(join(out, 'tarballs'), packageName, version);
    writeFileSync(`${path}.tmp`, gunzipSync(readFileSync(tarball)));
    renameSync(`${path}.tmp`, path);
  }
  return folder;
}
