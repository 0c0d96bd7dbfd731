import {
  type ImageVersion,
  isImageVersion,
  isSeriesName,
  isSha256Hex,
  type SeriesName,
  SHA256_FORM,
  VERSION_FORM,
} from '../../metadata/brands.js';
import {
  claimOnce,
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonString,
  parseJson,
  wrongJson,
} from '../../metadata/json-node.js';
import {
  type MetaDiff,
  type MetaImage,
  type MetaZst,
  parseSeriesMeta,
  renderSeriesMeta,
  type SeriesMeta,
} from '../../metadata/meta.js';
import { findNameFault, findRelativePathFault } from '../../metadata/safe-name.js';
import { METADATA_DIR } from '../../trust/tuf/documents.js';
import { fileOf, type Hop, type HopFile } from '../hop.js';

/*
 * A bundle is a tar archive (POSIX.1-2001, pax) that carries one path for a device without a network. Its first member,
 * bundle.json, says what the path is; then come the signed metadata that vouches for it, where there is any, and the files of
 * the hops, all in their order (docs/formats.md):
 *
 *     { "format": 1 or, with metadata, 2, "series", "from": "<version>" or null, "to": "<version>",
 *       "hops": [ { "kind": "image" | "delta", "filename", "from", "to", "size", "sha256" }, … ],
 *       "metadata": [ { "filename": "metadata/…", "size", "sha256" }, … ],
 *       "meta": { "<series>": { "images": [ … ] } } }
 *
 * `meta` has the form of a meta file. It has the image that each hop leads to, of its deltas at least the one that the
 * hop applies, and, where the mirror knows it, the image that the path starts from.
 */

/** What `format` says of a bundle without signed metadata, and of one with it; a reader refuses any other number. */
const PLAIN_FORMAT = 1;
const SIGNED_FORMAT = 2;
/** The first member of a bundle. */
export const MANIFEST_NAME = 'bundle.json';
export const MAX_MANIFEST_BYTES = 16 * 2 ** 20;
/** Far above what any plan allows. */
const MAX_HOPS = 1_000;
/** Roots of decades, and all parts of a large series. */
const MAX_METADATA_FILES = 1_000;
/** As much as a device remembers of it. */
const MAX_METADATA_BYTES = 64 * 2 ** 20;

/** What a bundle carries. */
export interface BundleManifest {
  readonly series: SeriesName;
  /** The version that has to be on the device; null where the path begins with a whole image. */
  readonly from: ImageVersion | null;
  readonly to: ImageVersion;
  /** At least one. */
  readonly hops: readonly Hop[];
  /** The images of the path, each with the one delta that leads to it. */
  readonly meta: SeriesMeta;
  /** What vouches for all that, by its paths on the mirror; none where nobody does. */
  readonly metadata: readonly BundledFile[];
}

/** A file of a bundle, as `bundle.json` says. */
export type BundledFile = Pick<HopFile, 'filename' | 'size' | 'sha256'>;

/** What a bundle says that carries `hops`, of which there is at least one; `base` is what the mirror says of their start. */
export function makeManifest(
  series: SeriesName,
  hops: readonly Hop[],
  base: MetaImage | undefined,
  metadata: readonly BundledFile[] = [],
): BundleManifest {
  const images = hops.map((hop) => ({ ...hop.image, diffs: hop.kind === 'delta' ? [hop.delta] : [] }));
  const known = base === undefined ? [] : [{ ...base, diffs: [] }];
  return {
    series,
    from: hops[0]?.kind === 'delta' ? hops[0].base : null,
    to: hops.at(-1)!.image.version,
    hops,
    meta: { series, images: [...known, ...images] },
    metadata,
  };
}

/** What comes after `bundle.json`, in its order. */
export function membersOf({ metadata, hops }: BundleManifest): readonly BundledFile[] {
  return [...metadata, ...hops.map(fileOf)];
}

/** Writes `bundle.json`: two blanks of indentation, a newline at the end. */
export function renderManifest({ series, from, to, hops, meta, metadata }: BundleManifest): string {
  const isSigned = metadata.length > 0;
  const members = {
    format: isSigned ? SIGNED_FORMAT : PLAIN_FORMAT,
    series,
    from,
    to,
    hops: hops.map((hop) => {
      const { filename, size, sha256 } = fileOf(hop);
      return { kind: hop.kind, filename, from: baseOf(hop), to: hop.image.version, size, sha256 };
    }),
    ...(isSigned ? { metadata: metadata.map(({ filename, size, sha256 }) => ({ filename, size, sha256 })) } : {}),
    meta: JSON.parse(renderSeriesMeta(meta)) as unknown,
  };
  return `${JSON.stringify(members, null, 2)}\n`;
}

/**
 * Reads a `bundle.json` of foreign origin; `where` opens the messages. Members that are not known are left out. The caller
 * bounds the length of `text`.
 *
 * @throws UpdateRepositoryError FORMAT with the path of the member that is wrong
 */
export function parseManifest(text: string, where: string): BundleManifest {
  const root = parseJson(text, { file: where, code: 'FORMAT' });
  const format = jsonMember(root, 'format');
  if (format.value !== PLAIN_FORMAT && format.value !== SIGNED_FORMAT) {
    throw wrongJson(format, `a format that this program knows, ${PLAIN_FORMAT} or ${SIGNED_FORMAT}`);
  }
  const series = jsonString(jsonMember(root, 'series'), 'a series name that can be a file name', isSeriesName);
  const meta = parseMeta(jsonMember(root, 'meta'), where);
  if (meta.series !== series) throw wrongJson(jsonMember(root, 'meta'), `the series ${series}`, meta.series);
  const from = parseStart(jsonMember(root, 'from'));
  const to = jsonString(jsonMember(root, 'to'), VERSION_FORM, isImageVersion);
  const hops = parseHops(jsonMember(root, 'hops'), meta, { from, to });
  const metadata = format.value === SIGNED_FORMAT ? parseMetadata(jsonMember(root, 'metadata')) : [];
  return { series, from, to, hops, meta, metadata };
}

/** All of it is held in memory. */
function parseMetadata(node: JsonNode): BundledFile[] {
  const taken = new Map<string, string>();
  let sizeBytes = 0;
  const files = jsonItems(node, MAX_METADATA_FILES).map((item) => {
    const filename = jsonMember(item, 'filename');
    const path = jsonString(filename, `the path of a file below ${METADATA_DIR}/`, isMetadataPath);
    claimOnce(taken, path, filename, 'another file');
    const size = jsonMember(item, 'size');
    sizeBytes += jsonCount(size);
    if (sizeBytes > MAX_METADATA_BYTES) throw wrongJson(size, `at most ${MAX_METADATA_BYTES} bytes of all metadata`);
    return {
      filename: path,
      size: jsonCount(size),
      sha256: jsonString(jsonMember(item, 'sha256'), SHA256_FORM, isSha256Hex),
    };
  });
  if (files.length === 0) throw wrongJson(node, 'the files of the signed metadata', 'none');
  return files;
}

function isMetadataPath(path: string): boolean {
  return path.startsWith(`${METADATA_DIR}/`) && findRelativePathFault(path) === null;
}

function baseOf(hop: Hop): ImageVersion | null {
  return hop.kind === 'delta' ? hop.base : null;
}

function parseMeta(node: JsonNode, where: string): SeriesMeta {
  return parseSeriesMeta(JSON.stringify(node.value) ?? '', `${where}: .meta`);
}

function parseStart(node: JsonNode): ImageVersion | null {
  return node.value === null ? null : jsonString(node, `${VERSION_FORM}, or null`, isImageVersion);
}

/** Each hop starts where the one before it ended, and none comes back to where the path has been. */
function parseHops(
  node: JsonNode,
  meta: SeriesMeta,
  { from, to }: { readonly from: ImageVersion | null; readonly to: ImageVersion },
): Hop[] {
  const items = jsonItems(node, MAX_HOPS);
  const passed = new Set<ImageVersion | null>([from]);
  const hops: Hop[] = [];
  for (const item of items) {
    const start = hops.at(-1)?.image.version ?? from;
    const hop = parseHop(item, meta, start);
    if (passed.has(hop.image.version))
      throw wrongJson(jsonMember(item, 'to'), 'a version that the path has not passed');
    passed.add(hop.image.version);
    hops.push(hop);
  }
  if (hops.at(-1)?.image.version === to) return hops;
  throw wrongJson(node, `a path to ${to}`, hops.length === 0 ? 'none' : `one to ${hops.at(-1)?.image.version}`);
}

function parseHop(node: JsonNode, meta: SeriesMeta, start: ImageVersion | null): Hop {
  const kind = start === null ? 'image' : 'delta';
  jsonString(jsonMember(node, 'kind'), `"${kind}", as it starts from ${start ?? 'nothing'}`, (text) => text === kind);
  const from = jsonMember(node, 'from');
  if (from.value !== start) throw wrongJson(from, start === null ? 'null' : `the version ${start}`);
  const to = jsonMember(node, 'to');
  const version = jsonString(to, VERSION_FORM, isImageVersion);
  const image = meta.images.find((one) => one.version === version);
  if (image === undefined) throw wrongJson(to, 'the version of an image in "meta"');
  const hop = start === null ? ({ kind: 'image', image } as const) : deltaHop(node, image, start);
  checkFile(node, fileOf(hop));
  return hop;
}

function deltaHop(node: JsonNode, image: MetaImage, base: ImageVersion): Hop {
  const filename = jsonMember(node, 'filename');
  const isNamed = (file: MetaDiff | MetaZst) => file.filename === filename.value;
  const delta = image.diffs.find((one) => isNamed(one) || (one.zst !== undefined && isNamed(one.zst)));
  if (delta === undefined || delta.version !== base) throw wrongJson(filename, `a delta from ${base} in "meta"`);
  const { zst } = delta;
  return { kind: 'delta', base, delta, ...(zst !== undefined && isNamed(zst) ? { zst } : {}), image };
}

/** What a hop says of its file is what the meta entry says. */
function checkFile(node: JsonNode, { filename, size, sha256 }: BundledFile): void {
  jsonString(
    jsonMember(node, 'filename'),
    `"${filename}"`,
    (text) => text === filename && findNameFault(text) === null,
  );
  const sizeNode = jsonMember(node, 'size');
  if (jsonCount(sizeNode) !== size) throw wrongJson(sizeNode, `${size}, as in "meta"`);
  const digest = jsonMember(node, 'sha256');
  if (jsonString(digest, SHA256_FORM, isSha256Hex) !== sha256) throw wrongJson(digest, `${sha256}, as in "meta"`);
}
