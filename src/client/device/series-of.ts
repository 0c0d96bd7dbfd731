import type { SeriesName } from '../../metadata/brands.js';
import { classifyImageName } from '../../metadata/image-name.js';
import type { Device } from './device.js';
import { listImageNames } from './image-names.js';
import type { ImageRecords } from './image-records.js';

/**
 * The series of the current image, or where none is current the one of all images that are there; null where they are of
 * several, or there are none.
 *
 * @throws UpdateRepositoryError NOT_FOUND or IO
 */
export async function seriesOf({ dir, layout, records }: Device): Promise<SeriesName | null> {
  const { current } = await layout.read();
  const fileNames = current === null ? await listImageNames(dir) : [current];
  const [series, ...others] = new Set(fileNames.map((fileName) => seriesOfImage(fileName, records)));
  return others.length === 0 ? (series ?? null) : null;
}

/** As the mirror had it, whose configuration may call it otherwise than its name does. */
function seriesOfImage(fileName: string, records: ImageRecords): SeriesName | null {
  const known = records.get(fileName)?.series;
  if (known !== undefined) return known;
  const image = classifyImageName(fileName);
  return image.kind === 'image' ? image.name.series : null;
}
