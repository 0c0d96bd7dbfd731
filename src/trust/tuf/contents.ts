import { createHash } from 'node:crypto';
import { dirname } from 'node:path/posix';
import { UpdateRepositoryError } from '../../errors.js';
import { parseSha256Hex, parseSha512Hex, type SeriesName, type Sha256Hex } from '../../metadata/brands.js';
import type { Digests } from '../../metadata/digests.js';
import type { SeriesMeta } from '../../metadata/meta.js';
import {
  CKSUMS_FILE,
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  metaPath,
  rdiffPath,
  SHA256SUMS_FILE,
} from '../../metadata/mirror-paths.js';
import { bestBeforeOf } from '../openpgp/sysupdate-manifest.js';
import { METADATA_DIR, type TargetEntry } from './documents.js';

/** What a mirror is to vouch for. */
export interface RepositoryContents {
  readonly series: readonly SeriesContents[];
  /** The mirror's own indexes: CKSUMS, SHA256SUMS, index.json and channels, by path. */
  readonly indexes: ReadonlyMap<string, IndexFile>;
}

export interface SeriesContents {
  readonly name: SeriesName;
  /** Its images and deltas, by path. */
  readonly files: ReadonlyMap<string, TargetEntry>;
  readonly meta: IndexFile;
}

/** A file that changes under its name. */
export interface IndexFile {
  readonly text: string;
  readonly entry: TargetEntry;
}

/** The paths that the role of the mirror's indexes speaks of. */
export const INDEX_PATTERNS: readonly string[] = [INDEX_FILE, CKSUMS_FILE, SHA256SUMS_FILE, 'channels/*'];

/**
 * Whether a role speaks of an index, or has to. None does of the deltas' checksums: what they say of a delta its own entry
 * says, and another path in the role of the mirror would ask for the key of targets in every mirror that is signed. Nor
 * does any of the empty file that SHA256SUMS names.
 */
export function isVouchedFor(path: string): boolean {
  return path !== DELTA_SHA256SUMS_FILE && bestBeforeOf(path) === null;
}

/**
 * What a mirror of these series is to vouch for; `texts` are its indexes by path, the meta files of the series among
 * them. Throws NAME for an index that no role speaks of and one should.
 */
export function repositoryContents(
  metas: readonly SeriesMeta[],
  texts: ReadonlyMap<string, string>,
): RepositoryContents {
  const indexes = new Map(
    [...texts].filter(([path]) => isVouchedFor(path)).map(([path, text]) => [path, indexFile(text)]),
  );
  const series = metas.map((meta) => {
    const path = metaPath(meta.series);
    const index = indexes.get(path);
    if (index === undefined) throw new UpdateRepositoryError('INTERNAL', `${path}: expected its text, found none`);
    indexes.delete(path);
    return { name: meta.series, files: filesOf(meta), meta: index };
  });
  for (const path of indexes.keys()) checkIndexPath(path);
  return { series, indexes };
}

/**
 * Where the bytes that an index now has can be had for ever, relative to the mirror's root: where a client with hash
 * prefixes looks, when it takes the directory of the metadata for that of the targets.
 */
export function hashNamedCopy(path: string, sha256: Sha256Hex): string {
  const directory = dirname(path);
  const name = `${sha256}.${path.slice(path.lastIndexOf('/') + 1)}`;
  return [METADATA_DIR, ...(directory === '.' ? [] : [directory]), name].join('/');
}

/** Files that change under their names, by path, of their texts. */
export function indexFiles(texts: ReadonlyMap<string, string>): ReadonlyMap<string, IndexFile> {
  return new Map([...texts].map(([path, text]) => [path, indexFile(text)]));
}

function indexFile(text: string): IndexFile {
  const hex = (algorithm: string) => createHash(algorithm).update(text).digest('hex');
  const hashes = {
    sha256: parseSha256Hex(hex('sha256'), 'a digest'),
    sha512: parseSha512Hex(hex('sha512'), 'a digest'),
  };
  return { text, entry: { length: Buffer.byteLength(text), hashes } };
}

function filesOf({ images }: SeriesMeta): Map<string, TargetEntry> {
  const files = new Map<string, TargetEntry>();
  for (const image of images) {
    files.set(image.filename, { ...entryOf(image), custom: { version: image.version } });
    for (const diff of image.diffs) {
      const custom = { version: image.version, base: diff.version };
      files.set(rdiffPath(diff.filename), { ...entryOf(diff), custom });
      if (diff.zst !== undefined) files.set(rdiffPath(diff.zst.filename), { ...entryOf(diff.zst), custom });
    }
  }
  return files;
}

function entryOf({ size, sha256, sha512 }: Digests & { readonly size: number }): TargetEntry {
  return { length: size, hashes: { sha256, sha512 } };
}

function checkIndexPath(path: string): void {
  const patterns = INDEX_PATTERNS.map((pattern) => pattern.replace('*', ''));
  const spoken = patterns.some((start) => (start.endsWith('/') ? isChildOf(start, path) : path === start));
  if (spoken) return;
  throw new UpdateRepositoryError('NAME', `${path}: expected an index of ${INDEX_PATTERNS.join(', ')}, found another`, {
    data: { path },
  });
}

function isChildOf(directory: string, path: string): boolean {
  return path.startsWith(directory) && !path.slice(directory.length).includes('/');
}
