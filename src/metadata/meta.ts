import {
  type ImageVersion,
  isImageVersion,
  isSeriesName,
  isSha256Hex,
  isSha512Hex,
  type SeriesName,
  SHA256_FORM,
  SHA512_FORM,
  VERSION_FORM,
} from './brands.js';
import { CKSUM_FORM, type Digests, isCksum } from './digests.js';
import { isImageFileName, isRdiffFileName } from './image-name.js';
import {
  type JsonNode,
  jsonCount,
  jsonItems,
  jsonMember,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from './json-node.js';
import { checkSeriesMeta } from './meta-rules.js';
import { zstFileName } from './mirror-paths.js';
import type { PuavoConf } from './puavo-conf.js';
import { findNameFault } from './safe-name.js';

/*
 * meta/<series>.json, Puavo's own format (docs/formats.md):
 *
 *     {"<series>":{"images":[{"diffs":[{"filename":…,"urls":[…],…},…],"filename":…,…},…]}}
 *
 * Deployed laptops walk it with jq's `.[][][]` and deployed bootservers take the `images` of every top-level key, so
 * nothing may stand beside `images` or beside the series. Members of our own may only join images and diffs.
 */

/** The compressed form of a delta, in the delta that it unpacks to; the member names are those of the file. */
export interface MetaZst extends Digests {
  /** The delta's with `.zst` at the end. */
  readonly filename: string;
  /** Where it can be had; at least one. */
  readonly urls: readonly string[];
  /** Bytes. */
  readonly size: number;
}

/** A delta as the meta file of its target's series has it; the member names are those of the file. */
export interface MetaDiff extends Digests {
  readonly filename: string;
  /** Where the delta can be had; at least one. */
  readonly urls: readonly string[];
  /** The version of the base; the target is the image that the delta belongs to. */
  readonly version: ImageVersion;
  /** Bytes. */
  readonly size: number;
  /** A member of our own, which Puavo's clients do not ask for. */
  readonly zst?: MetaZst;
}

/** An image as its meta file has it; the member names are those of the file. */
export interface MetaImage extends Digests {
  /** The deltas that lead to this image. */
  readonly diffs: readonly MetaDiff[];
  readonly filename: string;
  /** The file name without `.img`. */
  readonly id: string;
  readonly 'puavo-conf': PuavoConf;
  /** Bytes. */
  readonly size: number;
  /** Where the image can be had; at least one. */
  readonly urls: readonly string[];
  readonly version: ImageVersion;
  /** A member of our own: no update may skip this image. Left out where that is not so. */
  readonly barrier?: true;
}

/** The content of `meta/<series>.json`: the images of one series in the order of the configuration. */
export interface SeriesMeta {
  readonly series: SeriesName;
  readonly images: readonly MetaImage[];
}

/** Writes a meta file as Puavo's producer did: one line, its order of members, no newline at the end. */
export function renderSeriesMeta(meta: SeriesMeta): string {
  return JSON.stringify({ [meta.series]: { images: meta.images.map(imageMembers) } });
}

/**
 * Reads a meta file of foreign origin; `fileName` opens the messages. Members that are not known are left out where
 * the format allows them, in images and diffs, and refused elsewhere. Throws FORMAT with the path of the member that
 * is wrong. The caller bounds the length of `text`; the result takes a small multiple of it.
 */
export function parseSeriesMeta(text: string, fileName: string): SeriesMeta {
  const root = parseJson(text, { file: fileName, code: 'FORMAT' });
  const [name, node] = onlyMember(root, 'one series and nothing beside it');
  if (!isSeriesName(name)) throw wrongJson(node, 'a series name that can be a file name', 'another');
  const [key, list] = onlyMember(node, '"images" and nothing beside it');
  if (key !== 'images') throw wrongJson(node, '"images" and nothing beside it');
  const items = jsonItems(list, MAX_IMAGES);
  const images = items.map(parseImage);
  checkSeriesMeta(items, images);
  return { series: name, images };
}

/** Far above any real mirror, low enough for lists that are searched by pairs. */
const MAX_IMAGES = 10_000;
const MAX_DIFFS = 10_000;
const MAX_URLS = 100;
const MAX_URL_CHARACTERS = 2_048;
const MAX_CONF_KEYS = 100_000;

function imageMembers(image: MetaImage): MetaImage {
  const { filename, id, size, urls, version, cksum, sha256, sha512, barrier } = image;
  const diffs = image.diffs.map(diffMembers);
  const conf = image['puavo-conf'];
  const members = { diffs, filename, id, 'puavo-conf': conf, size, urls, version, cksum, sha256, sha512 };
  return barrier === undefined ? members : { ...members, barrier };
}

function diffMembers(diff: MetaDiff): MetaDiff {
  const { filename, urls, version, size, cksum, sha256, sha512, zst } = diff;
  const members = { filename, urls, version, size, cksum, sha256, sha512 };
  return zst === undefined ? members : { ...members, zst: zstMembers(zst) };
}

function zstMembers({ filename, urls, size, cksum, sha256, sha512 }: MetaZst): MetaZst {
  return { filename, urls, size, cksum, sha256, sha512 };
}

function parseImage(node: JsonNode): MetaImage {
  return {
    diffs: jsonItems(jsonMember(node, 'diffs'), MAX_DIFFS).map(parseDiff),
    filename: jsonString(jsonMember(node, 'filename'), 'a plain file name ending in .img', isImageFileName),
    id: jsonString(jsonMember(node, 'id'), 'the file name without .img', isFitName),
    'puavo-conf': parseConf(jsonMember(node, 'puavo-conf')),
    size: jsonCount(jsonMember(node, 'size')),
    urls: parseUrls(jsonMember(node, 'urls')),
    version: jsonString(jsonMember(node, 'version'), VERSION_FORM, isImageVersion),
    ...parseDigests(node),
    ...parseBarrier(jsonMember(node, 'barrier')),
  };
}

/** One that is none need not say so. */
function parseBarrier(node: JsonNode): Pick<MetaImage, 'barrier'> {
  if (node.value === true) return { barrier: true };
  if (node.value === undefined || node.value === false) return {};
  throw wrongJson(node, 'true or false');
}

function parseDiff(node: JsonNode): MetaDiff {
  const filename = jsonString(jsonMember(node, 'filename'), 'a plain file name ending in .rdiff', isRdiffFileName);
  const zst = jsonMember(node, 'zst');
  return {
    filename,
    urls: parseUrls(jsonMember(node, 'urls')),
    version: jsonString(jsonMember(node, 'version'), VERSION_FORM, isImageVersion),
    size: jsonCount(jsonMember(node, 'size')),
    ...parseDigests(node),
    ...(zst.value === undefined ? {} : { zst: parseZst(zst, zstFileName(filename)) }),
  };
}

function parseZst(node: JsonNode, expectedName: string): MetaZst {
  const expected = `the delta's name and .zst, "${expectedName}"`;
  return {
    filename: jsonString(jsonMember(node, 'filename'), expected, (text) => text === expectedName && isFitName(text)),
    urls: parseUrls(jsonMember(node, 'urls')),
    size: jsonCount(jsonMember(node, 'size')),
    ...parseDigests(node),
  };
}

function parseDigests(node: JsonNode): Digests {
  return {
    cksum: jsonString(jsonMember(node, 'cksum'), CKSUM_FORM, isCksum),
    sha256: jsonString(jsonMember(node, 'sha256'), SHA256_FORM, isSha256Hex),
    sha512: jsonString(jsonMember(node, 'sha512'), SHA512_FORM, isSha512Hex),
  };
}

function isFitName(text: string): boolean {
  return findNameFault(text) === null;
}

function parseUrls(node: JsonNode): readonly string[] {
  const items = jsonItems(node, MAX_URLS);
  if (items.length === 0) throw wrongJson(node, 'at least one URL', 'an empty list');
  return items.map((item) => jsonString(item, 'a URL', isUrlLike));
}

/** Which schemes to follow is for the reader of the URL to decide. */
function isUrlLike(text: string): boolean {
  return text !== '' && text.length <= MAX_URL_CHARACTERS && !/[\p{C}\s]/u.test(text);
}

function parseConf(node: JsonNode): PuavoConf {
  const members = jsonMembers(node, MAX_CONF_KEYS);
  return Object.fromEntries([...members].map(([key, member]) => [key, member.value]));
}

function onlyMember(node: JsonNode, expected: string): readonly [string, JsonNode] {
  const [first, ...others] = jsonMembers(node, MAX_IMAGES);
  if (first !== undefined && others.length === 0) return first;
  throw wrongJson(node, expected, `${others.length + (first === undefined ? 0 : 1)} members`);
}
