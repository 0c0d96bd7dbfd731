import { UpdateRepositoryError } from '../errors.js';
import { isSeriesName, type SeriesName } from '../metadata/brands.js';
import { describeValue } from '../metadata/describe-value.js';
import { classifyImageName, IMAGE_NAME_FORM, type ImageName } from '../metadata/image-name.js';
import {
  claimOnce,
  type JsonNode,
  jsonItems,
  jsonMember,
  jsonMembers,
  jsonString,
  parseJson,
  wrongJson,
} from '../metadata/json-node.js';

/*
 * A configuration file of Puavo's producer (docs/formats.md). The bare list is the older form:
 *
 *     { "<series>": { "images": ["<image>.img", …], "extra_rdiffs": { "<target>.img": ["<base>.img", …] },
 *                     "barriers": ["<image>.img", …] },
 *       "<series>": ["<image>.img", …] }
 */

/** One series as a configuration file has it. */
export interface SeriesConfig {
  readonly name: SeriesName;
  /** Oldest first, by convention; the order of the file in any case. */
  readonly images: readonly ImageName[];
  /** By the file name of a target in `images`: the extra images from which it gets a delta. */
  readonly extraBases: ReadonlyMap<string, readonly ImageName[]>;
  /** The file names of the images that no update may skip. */
  readonly barriers: ReadonlySet<string>;
  /** What the file says beyond that and is not heeded, a sentence each. */
  readonly notes: readonly string[];
}

/** What one configuration file says. */
export interface SeriesConfigFile {
  readonly file: string;
  readonly configs: readonly SeriesConfig[];
}

/** Far above any real configuration. */
const MAX_SERIES = 10_000;
const MAX_IMAGES = 10_000;

const KNOWN_MEMBERS: readonly string[] = ['images', 'extra_rdiffs', 'barriers'];

/** Reads a configuration file; `file` opens the messages. Throws CONFIG with the path of the member that is wrong. */
export function parseSeriesConfig(text: string, file: string): SeriesConfig[] {
  const root = parseJson(text, { file, code: 'CONFIG' });
  return [...jsonMembers(root, MAX_SERIES)].map(([name, node]) => parseSeries(name, node));
}

/** Joins the series of several files in their order. Throws CONFIG naming both files for a series that two have. */
export function mergeSeriesConfigs(files: readonly SeriesConfigFile[]): SeriesConfig[] {
  const merged = new Map<SeriesName, { readonly file: string; readonly config: SeriesConfig }>();
  for (const { file, configs } of files) {
    for (const config of configs) {
      const other = merged.get(config.name);
      if (other !== undefined) throw seriesTwice(config.name, other.file, file);
      merged.set(config.name, { file, config });
    }
  }
  return [...merged.values()].map(({ config }) => config);
}

function parseSeries(name: string, node: JsonNode): SeriesConfig {
  if (!isSeriesName(name)) throw wrongJson(node, 'a series name that can be a file name', describeValue(name));
  if (Array.isArray(node.value)) {
    return { name, images: parseImages(node), extraBases: new Map(), barriers: new Set(), notes: [] };
  }
  const images = parseImages(jsonMember(node, 'images'));
  const targets = new Set(images.map(({ fileName }) => fileName));
  const extra = parseExtraRdiffs(jsonMember(node, 'extra_rdiffs'), targets);
  const barriers = parseBarriers(jsonMember(node, 'barriers'), targets);
  return { name, images, extraBases: extra.bases, barriers, notes: [...unknownMembers(node), ...extra.notes] };
}

function parseImages(node: JsonNode): readonly ImageName[] {
  const places = new Map<string, string>();
  return jsonItems(node, MAX_IMAGES).map((item) => {
    const image = parseImage(item);
    claimOnce(places, image.fileName, item, 'an image that the series does not list yet');
    return image;
  });
}

/** A barrier that is not there would hold every device for ever. */
function parseBarriers(node: JsonNode, images: ReadonlySet<string>): ReadonlySet<string> {
  const isListed = (text: string) => images.has(text);
  const items = node.value === undefined ? [] : jsonItems(node, MAX_IMAGES);
  return new Set(items.map((item) => jsonString(item, 'an image that the series lists', isListed)));
}

function parseExtraRdiffs(
  node: JsonNode,
  targets: ReadonlySet<string>,
): { readonly bases: ReadonlyMap<string, readonly ImageName[]>; readonly notes: readonly string[] } {
  const bases = new Map<string, readonly ImageName[]>();
  const notes: string[] = [];
  if (node.value === undefined) return { bases, notes };
  for (const [target, list] of jsonMembers(node, MAX_IMAGES)) {
    const images = jsonItems(list, MAX_IMAGES).map((item) => parseBase(item, target));
    if (targets.has(target)) bases.set(target, images);
    else notes.push(`${list.source.file}: ${list.path}: the series does not list this image, so it gets no deltas`);
  }
  return { bases, notes };
}

function parseBase(node: JsonNode, target: string): ImageName {
  const base = parseImage(node);
  if (base.fileName === target) throw wrongJson(node, 'another image than the target');
  return base;
}

function parseImage(node: JsonNode): ImageName {
  const form = `an image name ${IMAGE_NAME_FORM}`;
  if (typeof node.value !== 'string') throw wrongJson(node, form);
  const found = classifyImageName(node.value);
  if (found.kind === 'image') return found.name;
  throw wrongJson(node, form, `${describeValue(node.value)}, which ${found.reason}`);
}

function unknownMembers(node: JsonNode): string[] {
  const unknown = [...jsonMembers(node, MAX_IMAGES)].filter(([key]) => !KNOWN_MEMBERS.includes(key));
  return unknown.map(([, { source, path }]) => `${source.file}: ${path}: not known here and not heeded`);
}

function seriesTwice(name: SeriesName, one: string, other: string): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `${other}: expected series ${name} in one file, found it in ${one} too`, {
    data: { series: name, files: [one, other] },
  });
}
