import { dirname, join } from 'node:path/posix';
import type { SeriesName } from './brands.js';

/*
 * The layout of a mirror. Paths are relative to its root and have `/` between their parts.
 *
 *     <image>.img                 the images
 *     rdiffs/<rdiff>.rdiff        the deltas
 *     rdiffs/<rdiff>.rdiff.zst    the same deltas compressed, where that is wanted and pays
 *     meta/<series>.json          what a series has
 *     CKSUMS                      checksums of everything
 *     SHA256SUMS                  checksums of the images
 *     rdiffs/SHA256SUMS           checksums of the deltas, where there are any
 *     index.json                  the list of series
 *     *.gpg *.asc                 OpenPGP signatures beside these lists, where they are signed (docs/trust-openpgp.md)
 *     .update-repository/         private: not to be served
 */

/** The directory of the deltas. */
export const RDIFFS_DIR = 'rdiffs';
/** The directory of the meta files, one a series. */
export const META_DIR = 'meta';
/** The list of POSIX checksums, which old laptops read. */
export const CKSUMS_FILE = 'CKSUMS';
/**
 * The list of the images' SHA-256 checksums, for `sha256sum -c` and systemd-sysupdate, which refuses a whole list for one
 * file in a directory.
 */
export const SHA256SUMS_FILE = 'SHA256SUMS';
/** The same of the deltas, for `sha256sum -c` beside them. A mirror without deltas has none. */
export const DELTA_SHA256SUMS_FILE = `${RDIFFS_DIR}/${SHA256SUMS_FILE}`;
/** The list of series. */
export const INDEX_FILE = 'index.json';
/** The directory of what this program remembers about the mirror. */
export const PRIVATE_DIR = '.update-repository';

/** Where a delta or a compressed delta lies. */
export function rdiffPath(fileName: string): string {
  return `${RDIFFS_DIR}/${fileName}`;
}

/** The name of a delta's compressed form. */
export function zstFileName(deltaFileName: string): string {
  return `${deltaFileName}.zst`;
}

/** Where a file lies that a list names without its directory, as CKSUMS does. */
export function listedPath(fileName: string): string {
  return /\.rdiff(\.zst)?$/.test(fileName) ? rdiffPath(fileName) : fileName;
}

/** Where a file lies that `list` names relative to its own directory, as the lists of SHA-256 checksums do. */
export function pathBeside(list: string, name: string): string {
  return join(dirname(list), name);
}

/** Where a series' meta file lies. */
export function metaPath(series: SeriesName): string {
  return `${META_DIR}/${series}.json`;
}

/**
 * The URL of a file of the mirror that is served below `urlBase`. What is not ASCII in `path` is percent-encoded:
 * Puavo's bootserver refuses other URLs.
 */
export function mirrorUrl(urlBase: string, path: string): string {
  return `${urlBase.replace(/\/+$/, '')}/${encodeURI(path)}`;
}
