// The indexes of a mirror of as many files as a bench of signing asks for, as a build writes them with a delta between
// neighbours. Of the files themselves the newest image alone is there: signing does not look at them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderIndexes } from '../../dist/images/contents.js';
import { parseSeriesName, parseSha256Hex, parseSha512Hex } from '../../dist/metadata/brands.js';
import { parseImageName, rdiffFileName } from '../../dist/metadata/image-name.js';
import { rdiffPath } from '../../dist/metadata/mirror-paths.js';

/** @typedef {import('../../dist/metadata/meta.js').MetaImage} MetaImage */
/** @typedef {import('../../dist/metadata/meta.js').SeriesMeta} SeriesMeta */
/** @typedef {{series: number, imagesEach: number}} Shape */

const start = Date.UTC(2020, 0, 1);
const hourMs = 3_600_000;

/**
 * Writes the indexes of a mirror, and the newest image of its first series. Returns the name of that.
 * @param {string} mirror
 * @param {Shape} shape
 */
export function writeMirror(mirror, { series, imagesEach }) {
  const metas = Array.from({ length: series }, (_, index) => seriesMeta(index, imagesEach));
  for (const [path, text] of renderIndexes(metas, null)) {
    mkdirSync(dirname(join(mirror, path)), { recursive: true });
    writeFileSync(join(mirror, path), text);
  }
  const newest = String(metas[0]?.images.at(-1)?.filename);
  writeFileSync(join(mirror, newest), bytesOf(newest));
  return newest;
}

/**
 * The files below a directory by their paths; none where it is not there.
 * @param {string} dir
 * @returns {ReadonlyMap<string, {size: number, ino: number}>}
 */
export function filesIn(dir) {
  if (!existsSync(dir)) return new Map();
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  return new Map(paths.map((path) => [path, statSync(path)]));
}

/**
 * @param {number} index
 * @param {number} count of images, each of which has a delta from the one before it, and the last but one from the last
 * @returns {SeriesMeta}
 */
function seriesMeta(index, count) {
  const stem = `puavo-os-site${String(index + 1).padStart(2, '0')}-bookworm`;
  const names = Array.from({ length: count }, (_, image) => {
    const time = new Date(start + image * hourMs).toISOString();
    return parseImageName(`${stem}-${time.slice(0, 10)}-${time.slice(11, 19).replaceAll(':', '')}-amd64.img`);
  });
  const images = names.map((name, image) => {
    const bases = [names[image - 1], image === count - 2 ? names[count - 1] : undefined];
    const diffs = bases.flatMap((base) =>
      base === undefined ? [] : [{ ...entryOf(rdiffPath(rdiffFileName(base, name))), version: base.version }],
    );
    return { diffs, id: name.id, 'puavo-conf': {}, version: name.version, ...entryOf(name.fileName) };
  });
  return { series: parseSeriesName(`${stem}-amd64`, 'the bench'), images };
}

/** @param {string} path */
function entryOf(path) {
  const bytes = bytesOf(path);
  const hex = (/** @type {string} */ algorithm) => createHash(algorithm).update(bytes).digest('hex');
  return {
    filename: path.slice(path.lastIndexOf('/') + 1),
    urls: [`https://images.example.org/${path}`],
    size: bytes.length,
    cksum: '0',
    sha256: parseSha256Hex(hex('sha256'), path),
    sha512: parseSha512Hex(hex('sha512'), path),
  };
}

/** @param {string} path */
function bytesOf(path) {
  return Buffer.from(`the bytes of ${path}\n`);
}
