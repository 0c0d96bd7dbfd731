import type { SeriesName } from '../../metadata/brands.js';
import type { Device } from './device.js';
import { ownImages } from './own-images.js';
import { removeImage } from './remove-image.js';

/** Which images of a series stay. */
export interface Keep {
  readonly series: SeriesName;
  /** How many; null for all. */
  readonly keep: number | null;
  readonly protectedNames: ReadonlySet<string>;
}

/**
 * Removes the oldest images of a series until `keep` of them are left. Those that are current, previous, booted or
 * protected stay and count; of the others only those go that are older than the current one and that are, by this
 * directory's own records, files of the mirror which nobody has touched since.
 *
 * @throws UpdateRepositoryError IO, LOCKED; the reason of an abort
 */
export async function removeOldImages(device: Device, keep: Keep): Promise<void> {
  if (keep.keep === null) return;
  const { current, previous } = await device.layout.read();
  const staying = new Set([current, previous, await device.layout.booted(), ...keep.protectedNames]);
  const images = (await ownImages(device)).filter(({ record }) => record.series === keep.series);
  const limit = images.find(({ fileName }) => fileName === current)?.record.version;
  if (limit === undefined) return;
  const bound = images.filter(({ fileName }) => staying.has(fileName)).length;
  const loose = images.filter(({ fileName, record }) => !staying.has(fileName) && record.version < limit);
  const newestFirst = loose.sort((a, b) => (a.record.version < b.record.version ? 1 : -1));
  for (const old of newestFirst.slice(Math.max(0, keep.keep - bound))) await removeImage(device, old);
}
