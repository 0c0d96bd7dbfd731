import { UpdateRepositoryError } from '../errors.js';
import type { ImageVersion, SeriesName } from '../metadata/brands.js';
import { compareVersions, type ImageName } from '../metadata/image-name.js';
import type { SeriesConfig } from './series-config.js';

/** Images that update into each other. */
export interface Series {
  readonly name: SeriesName;
  /** Oldest first. The order of a configuration stands, even where versions say otherwise. */
  readonly images: readonly ImageName[];
  /** By the file name of the target: bases of deltas beside the other images of the series, often from outside it. */
  readonly extraBases: ReadonlyMap<string, readonly ImageName[]>;
  /** The file names of the images that no update may skip. */
  readonly barriers: ReadonlySet<string>;
}

/** Groups images by `<stem>-<arch>`, ordered by version; the series in the order of their names' bytes. */
export function seriesFromNames(names: readonly ImageName[]): Series[] {
  const groups = new Map<SeriesName, ImageName[]>();
  for (const name of names) groups.set(name.series, [...(groups.get(name.series) ?? []), name]);
  return [...groups]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, images]) => ({
      name,
      images: images.sort((a, b) => compareVersions(a.version, b.version)),
      extraBases: new Map(),
      barriers: new Set(),
    }));
}

/** The series of configuration files, in their order. Whether the images are there is not asked here. */
export function seriesFromConfigs(configs: readonly SeriesConfig[]): Series[] {
  return configs.map(({ name, images, extraBases, barriers }) => ({ name, images, extraBases, barriers }));
}

/**
 * Refuses two images of one version in one series: Puavo's bootserver tells images apart by it and would see the
 * later one alone. Throws NAME naming both.
 */
export function checkSeries(series: readonly Series[]): void {
  for (const { name, images } of series) {
    const byVersion = new Map<ImageVersion, ImageName>();
    for (const image of images) {
      const other = byVersion.get(image.version);
      if (other !== undefined) throw sameVersion(name, other, image);
      byVersion.set(image.version, image);
    }
  }
}

function sameVersion(series: SeriesName, one: ImageName, other: ImageName): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'NAME',
    `series ${series}: expected one image a version, found ${one.fileName} and ${other.fileName} with ${one.version}`,
    { data: { series, images: [one.fileName, other.fileName] }, hint: 'move one of them to a series of its own' },
  );
}
