import { UpdateRepositoryError } from '../errors.js';
import { type ImageVersion, isImageVersion, parseImageVersion, parseSeriesName, type SeriesName } from './brands.js';
import { describeName } from './describe-value.js';
import { findNameFault } from './safe-name.js';

/**
 * The parts of an image's file name, `<stem>-<stamp>-<arch>.img`.
 *
 * The stamp is `YYYY-MM-DD-HHMMSS`, by convention UTC. Only its digits matter to clients, which compare them as
 * strings; whether such a day exists is not asked, so 2022-02-31 is as good a stamp as any. The stem is
 * `<prefix>-<class>-<dist>`, but prefixes of one word and of two words are in the field, and nothing keeps a dash out
 * of a class: a name is split at its stamp and never by counting dashes.
 */
export interface ImageName {
  readonly fileName: string;
  /** The file name without `.img`. */
  readonly id: string;
  readonly stem: string;
  readonly stamp: string;
  readonly arch: string;
  readonly version: ImageVersion;
  /** `<stem>-<arch>`: the series that the image belongs to when no configuration says otherwise. */
  readonly series: SeriesName;
}

/** What a file name in a directory of images is; `reason` is a phrase that follows "it". */
export type ImageNameClass =
  | { readonly kind: 'image'; readonly name: ImageName }
  /** Not the name of an image, and not meant to be one. */
  | { readonly kind: 'other'; readonly reason: string }
  /** Looks like the name of an image and breaks a rule: worth a word to the user. */
  | { readonly kind: 'refused'; readonly reason: string };

/** The parts of a delta's file name, `<stem>-<base stamp>--<target stamp>-<arch>.rdiff`. */
export interface RdiffName {
  /** The stem of the base. */
  readonly stem: string;
  readonly baseStamp: string;
  readonly targetStamp: string;
  /** The architecture of the base. */
  readonly arch: string;
  /** The version of the base: what meta files call the version of a delta. */
  readonly version: ImageVersion;
  readonly targetVersion: ImageVersion;
}

const STAMP = String.raw`\d{4}-\d{2}-\d{2}-\d{6}`;
const WHOLE_STAMP = new RegExp(`^${STAMP}$`);
const STAMPS = new RegExp(`(?=${STAMP})`, 'g');
const IMAGE_NAME = new RegExp(`^(.+)-(${STAMP})-([^-]+)\\.img$`, 'u');
const RDIFF_NAME = new RegExp(`^(.+)-(${STAMP})--(${STAMP})-([^-]+)\\.rdiff$`, 'u');

/** How a message calls the form of an image's name. */
export const IMAGE_NAME_FORM = '<stem>-YYYY-MM-DD-HHMMSS-<arch>.img';

/** By so much the name of a delta is longer than its base's: `-`, another stamp, and `.rdiff` for `.img`. */
const RDIFF_SURPLUS_BYTES = 21;

/**
 * Of the 255 bytes that a file system allows, a delta's name needs {@link RDIFF_SURPLUS_BYTES} more than its base's, and
 * the longest suffix that a client appends while it works, `.unverified.partial`, needs 19.
 */
const MAX_IMAGE_NAME_BYTES = 255 - RDIFF_SURPLUS_BYTES - 19;

/** The links of Puavo's clients beside the images, also where a file system takes no heed of case. */
const RESERVED_NAME = /^ltsp(?:-backup)?\.img$/i;

/**
 * Whether a client can keep an image under this name, be it of the grammar or not: one plain base name, which leaves room
 * for what is appended to it and is not in the way of a client's own files.
 */
export function isImageFileName(text: string): boolean {
  return isFit(text, '.img', MAX_IMAGE_NAME_BYTES) && !RESERVED_NAME.test(text);
}

/** As {@link isImageFileName} for a delta. */
export function isRdiffFileName(text: string): boolean {
  return isFit(text, '.rdiff', MAX_IMAGE_NAME_BYTES + RDIFF_SURPLUS_BYTES);
}

function isFit(text: string, ending: string, maxBytes: number): boolean {
  return text.endsWith(ending) && findNameFault(text) === null && Buffer.byteLength(text) <= maxBytes;
}

/** Tells images, near misses and everything else apart by the file name alone. */
export function classifyImageName(fileName: string): ImageNameClass {
  const other = whyOther(fileName);
  if (other !== null) return { kind: 'other', reason: other };
  const fault = findImageNameFault(fileName);
  if (fault !== null) return { kind: 'refused', reason: fault };
  const [, stem, stamp, arch] = IMAGE_NAME.exec(fileName) ?? [];
  if (stem === undefined || stamp === undefined || arch === undefined) {
    return {
      kind: 'refused',
      reason: 'does not have its stamp between dashes, with a stem and one word around it',
    };
  }
  const where = describeName(fileName);
  return {
    kind: 'image',
    name: {
      fileName,
      id: fileName.slice(0, -'.img'.length),
      stem,
      stamp,
      arch,
      version: versionOf(stamp, where),
      series: parseSeriesName(`${stem}-${arch}`, where),
    },
  };
}

/** As {@link classifyImageName} for a name that must be an image's; throws NAME for any other. */
export function parseImageName(fileName: string): ImageName {
  const found = classifyImageName(fileName);
  if (found.kind === 'image') return found.name;
  throw new UpdateRepositoryError(
    'NAME',
    `${describeName(fileName)}: expected an image name ${IMAGE_NAME_FORM}, found that it ${found.reason}`,
    { data: { fileName } },
  );
}

/**
 * The name under which Puavo's laptops look for the delta that leads from `base` to `target`. Of the target it holds
 * the stamp alone: two targets that share a stamp share the name, which the planner has to refuse.
 */
export function rdiffFileName(base: ImageName, target: ImageName): string {
  return `${base.stem}-${base.stamp}--${target.stamp}-${base.arch}.rdiff`;
}

/** Reads a name that {@link rdiffFileName} makes; null for any other. */
export function parseRdiffName(fileName: string): RdiffName | null {
  if (findNameFault(fileName) !== null || countStamps(fileName) !== 2) return null;
  const [, stem, baseStamp, targetStamp, arch] = RDIFF_NAME.exec(fileName) ?? [];
  if (stem === undefined || baseStamp === undefined || targetStamp === undefined || arch === undefined) return null;
  const where = describeName(fileName);
  const version = versionOf(baseStamp, where);
  return { stem, baseStamp, targetStamp, arch, version, targetVersion: versionOf(targetStamp, where) };
}

/** The order of versions that clients use: as strings. */
export function compareVersions(a: ImageVersion, b: ImageVersion): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function versionOf(stamp: string, where: string): ImageVersion {
  return parseImageVersion(stamp.replaceAll('-', ''), where);
}

/** The number of stamps in a name, those that overlap included. */
function countStamps(fileName: string): number {
  return [...fileName.matchAll(STAMPS)].length;
}

function whyOther(fileName: string): string | null {
  if (fileName.startsWith('.')) return 'is hidden';
  if (!fileName.endsWith('.img')) return 'does not end in .img';
  return countStamps(fileName) === 0 ? 'carries no stamp YYYY-MM-DD-HHMMSS' : null;
}

function findImageNameFault(fileName: string): string | null {
  const fault = findNameFault(fileName);
  if (fault !== null) return `has ${fault}`;
  // Puavo's laptops split a name at its last stamp and Puavo's producer at the first: they agree when there is one.
  if (countStamps(fileName) > 1) return 'carries more than one stamp';
  const bytes = Buffer.byteLength(fileName);
  return bytes > MAX_IMAGE_NAME_BYTES
    ? `has ${bytes} bytes, more than the ${MAX_IMAGE_NAME_BYTES} that leave room for the names of its deltas`
    : null;
}

/** Reads a version as people write it: its 14 digits, or the stamp of an image's name; null for anything else. */
export function readVersion(text: string): ImageVersion | null {
  const digits = WHOLE_STAMP.test(text) ? text.replaceAll('-', '') : text;
  return isImageVersion(digits) ? digits : null;
}
