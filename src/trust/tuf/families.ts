import { UpdateRepositoryError } from '../../errors.js';
import type { SeriesName } from '../../metadata/brands.js';
import { parseImageName, parseRdiffName } from '../../metadata/image-name.js';
import { metaPath, RDIFFS_DIR, rdiffPath } from '../../metadata/mirror-paths.js';
import { checkPatternText } from './role-names.js';

/*
 * Images and deltas are delegated by *family*: all files whose stem and architecture are the same. One pattern
 *
 *     <stem>-????-??-??-??????-<arch>.img
 *
 * matches the images of a family and no other image: an architecture holds no dash, so the pattern's must be the name's
 * own; the stamp before it has as many characters as the question marks; what is left is the stem, which the pattern
 * spells. A star for the stamp would let `puavo-os-*-amd64.img` match `puavo-os-trixie-2022-…-amd64.img` as well.
 */

const STAMP = '????-??-??-??????';

/** The pattern of the images of a family, by which families are told apart. */
export type Family = string;

/** A family and the series that its stem and architecture name when no configuration says otherwise. */
export interface FamilyOfFile {
  readonly family: Family;
  readonly series: string;
}

/** The family that a delta of a mirror (its base's) or an image belongs to. Throws NAME for any other path. */
export function familyOf(path: string): FamilyOfFile {
  const { stem, arch } = namePartsOf(path);
  checkPatternText(stem + arch, path);
  return { family: imagePattern(stem, arch), series: `${stem}-${arch}` };
}

/** The patterns of a role that speaks of a series and of these families. */
export function patternsOf(series: SeriesName, families: readonly Family[]): string[] {
  return [metaPath(series), ...families.flatMap((family) => [family, ...deltaPatterns(family)])];
}

/** Of a role's patterns, the families. */
export function familiesIn(patterns: readonly string[]): Family[] {
  return patterns.filter((pattern) => pattern.endsWith('.img'));
}

function namePartsOf(path: string): { readonly stem: string; readonly arch: string } {
  const inRdiffs = `${RDIFFS_DIR}/`;
  if (!path.startsWith(inRdiffs)) return parseImageName(path);
  const delta = parseRdiffName(path.slice(inRdiffs.length).replace(/\.zst$/, ''));
  if (delta !== null) return delta;
  throw new UpdateRepositoryError('NAME', `${path}: expected the name of a delta, found another`, { data: { path } });
}

function imagePattern(stem: string, arch: string): Family {
  return `${stem}-${STAMP}-${arch}.img`;
}

function deltaPatterns(family: Family): string[] {
  const stem = family.slice(0, family.lastIndexOf(`-${STAMP}-`));
  const arch = family.slice(family.lastIndexOf('-') + 1, -'.img'.length);
  const delta = rdiffPath(`${stem}-${STAMP}--${STAMP}-${arch}.rdiff`);
  return [delta, `${delta}.zst`];
}
