import type { Sha256Hex } from '../metadata/brands.js';
import { renderCksums, renderSha256Sums, type Sha256Entry } from '../metadata/checksum-lists.js';
import type { Digests } from '../metadata/digests.js';
import type { ImageName } from '../metadata/image-name.js';
import { renderIndexJson } from '../metadata/index-json.js';
import { type MetaDiff, type MetaImage, type MetaZst, renderSeriesMeta, type SeriesMeta } from '../metadata/meta.js';
import {
  CKSUMS_FILE,
  DELTA_SHA256SUMS_FILE,
  INDEX_FILE,
  metaPath,
  mirrorUrl,
  rdiffPath,
  SHA256SUMS_FILE,
  zstFileName,
} from '../metadata/mirror-paths.js';
import type { PuavoConf } from '../metadata/puavo-conf.js';
import { bestBeforeFile, withBestBefore } from '../trust/openpgp/sysupdate-manifest.js';
import type { BuildRequest } from './build-request.js';
import type { WantedDelta } from './delta-policy.js';
import type { Known } from './plan.js';
import type { PublishedOutcome } from './records.js';

/** What is known of the files that a mirror serves, by file name. */
export interface MirrorContents {
  readonly images: ReadonlyMap<string, PublishedImage>;
  readonly deltas: ReadonlyMap<string, PublishedFile>;
  /** The compressed forms of deltas, by the file name of the delta. */
  readonly compressed: ReadonlyMap<string, PublishedFile>;
  /** Deltas that are wanted and not worth publishing. */
  readonly tooLarge: ReadonlySet<string>;
}

export interface PublishedFile {
  readonly sizeBytes: number;
  readonly digests: Digests;
}

export interface PublishedImage extends PublishedFile {
  readonly puavoConf: PuavoConf;
}

/** Of what was learnt, that which is published. */
export function contentsOf(known: Known): MirrorContents {
  const images = new Map<string, PublishedImage>();
  for (const [fileName, { source, digests, puavoConf }] of known.images) {
    images.set(fileName, { sizeBytes: source.sizeBytes, digests, puavoConf });
  }
  const deltas = new Map<string, PublishedFile>();
  const tooLarge = new Set<string>();
  for (const [fileName, outcome] of known.deltas) {
    if (outcome.kind === 'too-large') tooLarge.add(fileName);
    else deltas.set(fileName, publishedFile(outcome));
  }
  const compressed = new Map([...known.compressed].map(([fileName, outcome]) => [fileName, publishedFile(outcome)]));
  return { images, deltas, compressed, tooLarge };
}

function publishedFile({ published, digests }: PublishedOutcome): PublishedFile {
  return { sizeBytes: published.sizeBytes, digests };
}

/** The text of every index of a mirror by path, in the order in which they are written. */
export type IndexTexts = ReadonlyMap<string, string>;

/** The meta of every series: of what is wanted, that which `contents` has. */
export function composeMetas(request: BuildRequest, contents: MirrorContents, baseUrl: string | null): SeriesMeta[] {
  return request.series.map((series) => ({
    series: series.name,
    images: series.images.flatMap((name) => {
      const image = contents.images.get(name.fileName);
      if (image === undefined) return [];
      const deltas = (request.deltas.get(series) ?? []).filter(({ target }) => target.fileName === name.fileName);
      const published = metaImage(name, image, metaDiffs(deltas, contents, baseUrl), baseUrl);
      return [series.barriers.has(name.fileName) ? { ...published, barrier: true } : published];
    }),
  }));
}

/**
 * All index files of a mirror that has just these series, and is good until `bestBefore`: the empty file that says so is
 * written before the list that names it. CKSUMS names each file once, images in list order and behind
 * each the deltas that lead to it, each with its compressed form; one SHA256SUMS has the images in this order, another
 * one, where there are any, the deltas.
 */
export function renderIndexes(metas: readonly SeriesMeta[], bestBefore: Date | null): IndexTexts {
  const files = uniqueFiles(metas);
  const texts = new Map<string, string>();
  for (const meta of metas) texts.set(metaPath(meta.series), renderSeriesMeta(meta));
  texts.set(
    CKSUMS_FILE,
    renderCksums(files.map(({ entry }) => ({ fileName: entry.filename, sizeBytes: entry.size, cksum: entry.cksum }))),
  );
  const [images, deltas] = [files.filter(isImage), files.filter((file) => !isImage(file))];
  const entries = images.map(sha256Entry);
  if (bestBefore !== null) texts.set(bestBeforeFile(bestBefore), '');
  texts.set(SHA256SUMS_FILE, renderSha256Sums(bestBefore === null ? entries : withBestBefore(entries, bestBefore)));
  if (deltas.length > 0) texts.set(DELTA_SHA256SUMS_FILE, renderSha256Sums(deltas.map(sha256Entry)));
  texts.set(INDEX_FILE, renderIndexJson(metas));
  return texts;
}

/** The paths of all images and deltas, compressed ones too, that these series name. */
export function namedFiles(metas: readonly SeriesMeta[]): ReadonlySet<string> {
  return new Set(uniqueFiles(metas).map(({ path }) => path));
}

/**
 * The same series without some of their files, without the deltas that start from or lead to those, and without the
 * compressed forms of all these deltas.
 */
export function withoutFiles(metas: readonly SeriesMeta[], paths: ReadonlySet<string>): SeriesMeta[] {
  return metas.map(({ series, images }) => {
    const kept = images.filter(({ filename }) => !paths.has(filename));
    const goneVersions = new Set<string>(
      images.filter(({ filename }) => paths.has(filename)).map(({ version }) => version),
    );
    return {
      series,
      images: kept.map((image) => ({
        ...image,
        diffs: image.diffs
          .filter(({ filename, version }) => !goneVersions.has(version) && !paths.has(rdiffPath(filename)))
          .map((diff) => withoutZst(diff, paths)),
      })),
    };
  });
}

function withoutZst(diff: MetaDiff, paths: ReadonlySet<string>): MetaDiff {
  const { zst, ...rest } = diff;
  return zst !== undefined && paths.has(rdiffPath(zst.filename)) ? rest : diff;
}

function metaImage(name: ImageName, image: PublishedImage, diffs: MetaDiff[], baseUrl: string | null): MetaImage {
  return {
    diffs,
    filename: name.fileName,
    id: name.id,
    'puavo-conf': image.puavoConf,
    size: image.sizeBytes,
    urls: [mirrorUrl(baseUrl ?? '', name.fileName)],
    version: name.version,
    ...image.digests,
  };
}

function metaDiffs(deltas: readonly WantedDelta[], contents: MirrorContents, baseUrl: string | null): MetaDiff[] {
  return deltas.flatMap(({ base, fileName }) => {
    const delta = contents.deltas.get(fileName);
    if (delta === undefined) return [];
    const zst = contents.compressed.get(fileName);
    const diff: MetaDiff = { ...metaFile(fileName, delta, baseUrl), version: base.version };
    return [zst === undefined ? diff : { ...diff, zst: metaFile(zstFileName(fileName), zst, baseUrl) }];
  });
}

function metaFile(fileName: string, { sizeBytes, digests }: PublishedFile, baseUrl: string | null): MetaZst {
  const urls = [mirrorUrl(baseUrl ?? '', rdiffPath(fileName))];
  return { filename: fileName, urls, size: sizeBytes, ...digests };
}

interface NamedFile {
  readonly path: string;
  readonly entry: {
    readonly filename: string;
    readonly size: number;
    readonly cksum: string;
    readonly sha256: Sha256Hex;
  };
}

function isImage({ path, entry }: NamedFile): boolean {
  return path === entry.filename;
}

function sha256Entry({ entry }: NamedFile): Sha256Entry {
  return { path: entry.filename, sha256: entry.sha256 };
}

/** An image may stand in two series: the first place counts. */
function uniqueFiles(metas: readonly SeriesMeta[]): NamedFile[] {
  const files = new Map<string, NamedFile>();
  const add = (path: string, entry: NamedFile['entry']): void => {
    if (!files.has(path)) files.set(path, { path, entry });
  };
  for (const image of metas.flatMap(({ images }) => images)) {
    add(image.filename, image);
    for (const diff of image.diffs) {
      add(rdiffPath(diff.filename), diff);
      if (diff.zst !== undefined) add(rdiffPath(diff.zst.filename), diff.zst);
    }
  }
  return [...files.values()];
}
