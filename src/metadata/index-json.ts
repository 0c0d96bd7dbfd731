import {
  type ImageVersion,
  isImageVersion,
  isSeriesName,
  isSha256Hex,
  type SeriesName,
  SHA256_FORM,
  type Sha256Hex,
  VERSION_FORM,
} from './brands.js';
import { compareVersions, isImageFileName } from './image-name.js';
import {
  claimOnce,
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonString,
  parseJson,
  wrongJson,
} from './json-node.js';
import type { MetaImage, SeriesMeta } from './meta.js';
import { metaPath } from './mirror-paths.js';
import { findRelativePathFault } from './safe-name.js';

/*
 * index.json at the root of a mirror, our own format (docs/formats.md), which no Puavo client reads:
 *
 *     { "format": 1, "series": [ { "name", "meta", "images", "newest": { "version", "filename", "size", "sha256" } } ] }
 *
 * It holds no time and nothing but relative paths, so that the same mirror has the same index wherever it is served.
 */

/** What `format` says; a reader refuses any other number. */
const FORMAT = 1;
const MAX_SERIES = 10_000;

/** The list of the series of a mirror, in the order of the configuration. */
export interface MirrorIndex {
  readonly series: readonly IndexSeries[];
}

/** One series in `index.json`; the member names are those of the file. */
export interface IndexSeries {
  readonly name: SeriesName;
  /** Where its meta file lies, relative to the index. */
  readonly meta: string;
  /** The number of its images. */
  readonly images: number;
  /** The image of the highest version; null when the series has none. */
  readonly newest: IndexImage | null;
}

/** An image in `index.json`; the member names are those of the file. */
export interface IndexImage {
  readonly version: ImageVersion;
  /** Where the image lies, relative to the index. */
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: Sha256Hex;
}

/** Writes the `index.json` of these series: two blanks of indentation, a newline at the end. */
export function renderIndexJson(metas: readonly SeriesMeta[]): string {
  return `${JSON.stringify({ format: FORMAT, series: metas.map(summarize) }, null, 2)}\n`;
}

/**
 * Reads an `index.json` of foreign origin; `fileName` opens the messages. Members that are not known are left out.
 * Throws FORMAT with the path of the member that is wrong. The caller bounds the length of `text`.
 */
export function parseIndexJson(text: string, fileName: string): MirrorIndex {
  const root = parseJson(text, { file: fileName, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== FORMAT) throw wrongJson(format, `the format ${FORMAT} that this program knows`);
  const names = new Map<string, string>();
  const series = jsonItems(jsonMember(root, 'series'), MAX_SERIES).map((node) => {
    const one = parseSeries(node);
    claimOnce(names, one.name, jsonMember(node, 'name'), 'a series that is not listed twice');
    return one;
  });
  return { series };
}

function summarize({ series, images }: SeriesMeta): IndexSeries {
  const newest = images.reduce<MetaImage | null>(
    (best, image) => (best === null || compareVersions(image.version, best.version) > 0 ? image : best),
    null,
  );
  return { name: series, meta: metaPath(series), images: images.length, newest: newest && newestMembers(newest) };
}

function newestMembers({ version, filename, size, sha256 }: MetaImage): IndexImage {
  return { version, filename, size, sha256 };
}

function parseSeries(node: JsonNode): IndexSeries {
  const images = jsonMember(node, 'images');
  const newest = jsonMember(node, 'newest');
  const series = {
    name: jsonString(jsonMember(node, 'name'), 'a series name that can be a file name', isSeriesName),
    meta: jsonString(jsonMember(node, 'meta'), 'a plain relative path', (path) => findRelativePathFault(path) === null),
    images: jsonCount(images),
    newest: newest.value === null ? null : parseImage(newest),
  };
  if ((series.images === 0) === (series.newest === null)) return series;
  throw wrongJson(newest, series.images === 0 ? 'null, as there are no images' : 'the newest of the images');
}

function parseImage(node: JsonNode): IndexImage {
  return {
    version: jsonString(jsonMember(node, 'version'), VERSION_FORM, isImageVersion),
    filename: jsonString(jsonMember(node, 'filename'), 'a plain file name ending in .img', isImageFileName),
    size: jsonCount(jsonMember(node, 'size')),
    sha256: jsonString(jsonMember(node, 'sha256'), SHA256_FORM, isSha256Hex),
  };
}
