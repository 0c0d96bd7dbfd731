import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, hasCode, isSystemError } from '../errors.js';
import { readTextFile } from '../io/atomic-file.js';
import { parseCksums, parseSha256Sums } from '../metadata/checksum-lists.js';
import { type MetaImage, parseSeriesMeta, type SeriesMeta } from '../metadata/meta.js';
import {
  CKSUMS_FILE,
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  listedPath,
  META_DIR,
  metaPath,
  pathBeside,
  SHA256SUMS_FILE,
} from '../metadata/mirror-paths.js';
import { bestBeforeOf } from '../trust/openpgp/sysupdate-manifest.js';
import { type IndexTexts, namedFiles } from './contents.js';

/** The indexes of a mirror as they are on disk, whoever wrote them. */
export interface DiskIndexes {
  /** The text of every index file that is there, by path. */
  readonly texts: ReadonlyMap<string, string>;
  /** The meta files that are sound and bear the name of their series. Others are not ours to touch. */
  readonly metas: readonly SeriesMeta[];
  /** The paths of all images and deltas that any of them names, or a copy of a meta file under another name. */
  readonly named: ReadonlySet<string>;
}

/** Above the index of the largest mirror that could be served, and bounded. */
export const MAX_INDEX_BYTES = 64 << 20;

/** Reads all indexes. One that is damaged counts as text that names nothing. */
export async function readDiskIndexes(mirrorDir: string): Promise<DiskIndexes> {
  const texts = new Map<string, string>();
  const metas: SeriesMeta[] = [];
  const misnamed: SeriesMeta[] = [];
  for (const [path, text] of await readIndexTexts(mirrorDir)) {
    if (!path.startsWith(`${META_DIR}/`)) {
      texts.set(path, text);
      continue;
    }
    const meta = parseMeta(text, path);
    if (meta === null) continue;
    if (path !== metaPath(meta.series)) {
      misnamed.push(meta);
      continue;
    }
    texts.set(path, text);
    metas.push(meta);
  }
  return { texts, metas, named: namedPaths([...metas, ...misnamed], texts) };
}

/** The index files that are there, by path, whatever is in them. What is no text reads as an empty one. */
export async function readIndexTexts(mirrorDir: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const lists = [CKSUMS_FILE, SHA256SUMS_FILE, DELTA_SHA256SUMS_FILE, INDEX_FILE];
  for (const path of [...(await metaFiles(mirrorDir)), ...lists]) {
    const text = await readTextFile(join(mirrorDir, path), MAX_INDEX_BYTES).catch(emptyWhenDamaged);
    if (text !== null) texts.set(path, text);
  }
  for (const path of await emptyBestBeforeFiles(mirrorDir)) texts.set(path, '');
  return texts;
}

/** Until when the list of the images says that it is good; null where it does not. */
export function listedBestBefore(texts: ReadonlyMap<string, string>): Date | null {
  const names = sha256SumsPaths(SHA256SUMS_FILE, texts.get(SHA256SUMS_FILE));
  return names.map(bestBeforeOf).find((day) => day !== null) ?? null;
}

/** An index that is not to be there any more. */
export interface StaleIndex {
  readonly path: string;
  readonly why: string;
}

/**
 * The indexes that a mirror has and is not to have: meta files, the list of the deltas where none is left, and files of an
 * earlier day.
 */
export function staleIndexes(onDisk: DiskIndexes, wanted: IndexTexts): StaleIndex[] {
  return [...onDisk.texts.keys()].filter((path) => !wanted.has(path)).map((path) => ({ path, why: whyStale(path) }));
}

function whyStale(path: string): string {
  if (path === DELTA_SHA256SUMS_FILE) return 'there is no delta any more';
  return path.startsWith(`${META_DIR}/`) ? 'its series is not wanted any more' : 'its day is not listed any more';
}

/** The published sha256 of every image that a meta file names, by file name. */
export function publishedImages(metas: readonly SeriesMeta[]): ReadonlyMap<string, MetaImage> {
  return new Map(metas.flatMap(({ images }) => images).map((image) => [image.filename, image]));
}

/** The URL below which the files of a mirror are published, as its meta has it; null where that is no whole URL. */
export function publishedBaseUrl(metas: readonly SeriesMeta[]): string | null {
  for (const { urls, filename } of metas.flatMap(({ images }) => images)) {
    const [url = ''] = urls;
    if (/^https?:/.test(url) && url.endsWith(`/${filename}`)) return url.slice(0, -filename.length - 1);
  }
  return null;
}

async function metaFiles(mirrorDir: string): Promise<string[]> {
  return (await namesIn(join(mirrorDir, META_DIR)))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${META_DIR}/${name}`);
}

/** One with anything in it is somebody else's. */
async function emptyBestBeforeFiles(mirrorDir: string): Promise<string[]> {
  const names = (await namesIn(mirrorDir)).filter((name) => bestBeforeOf(name) !== null);
  const empty = await Promise.all(names.map((name) => isEmpty(join(mirrorDir, name))));
  return names.filter((_, index) => empty[index]);
}

async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size === 0;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw fromSystemError(error, 'look at it', path);
  }
}

/** The names of a directory but those of its directories, sorted; none where there is no directory. */
async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw fromSystemError(error, 'list it', directory);
  }
}

/** The series that a meta file describes; null when it is none. */
function parseMeta(text: string, path: string): SeriesMeta | null {
  try {
    return parseSeriesMeta(text, path);
  } catch (error) {
    return unlessDamaged(error);
  }
}

function namedPaths(metas: readonly SeriesMeta[], texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  return new Set([
    ...namedFiles(metas),
    ...cksumsPaths(texts.get(CKSUMS_FILE)),
    ...[SHA256SUMS_FILE, DELTA_SHA256SUMS_FILE]
      .flatMap((list) => sha256SumsPaths(list, texts.get(list)))
      .filter((path) => bestBeforeOf(path) === null),
  ]);
}

function cksumsPaths(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    return parseCksums(text, CKSUMS_FILE).map(({ fileName }) => listedPath(fileName));
  } catch (error) {
    return unlessDamaged(error) ?? [];
  }
}

function sha256SumsPaths(list: string, text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    return parseSha256Sums(text, list).map(({ path }) => pathBeside(list, path));
  } catch (error) {
    return unlessDamaged(error) ?? [];
  }
}

function emptyWhenDamaged(error: unknown): string {
  return unlessDamaged(error) ?? '';
}

function unlessDamaged(error: unknown): null {
  if (hasCode(error, 'FORMAT') || hasCode(error, 'NAME')) return null;
  throw error;
}
