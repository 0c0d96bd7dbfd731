import { join } from 'node:path';
import type { Device } from './device.js';
import { type ImageRecord, isAsRecorded, isWhole } from './image-records.js';
import { stateOf } from './plain-file.js';

/** An image of the directory that is known to be a mirror's. */
export interface OwnImage {
  readonly fileName: string;
  readonly record: ImageRecord;
}

/** The images that are, by the directory's own records, files of the mirror which nobody has touched since. */
export async function ownImages({ dir, records }: Device): Promise<OwnImage[]> {
  const own: OwnImage[] = [];
  for (const [fileName, record] of records.entries()) {
    if (!isWhole(record)) continue;
    const state = await stateOf(join(dir, fileName));
    if (state !== null && isAsRecorded(record, state)) own.push({ fileName, record });
  }
  return own;
}
