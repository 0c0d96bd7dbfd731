import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../../errors.js';
import { syncDirectory } from '../../io/atomic-file.js';
import type { SeriesName } from '../../metadata/brands.js';
import type { Device } from './device.js';
import { type ImageRecord, isAsRecorded, isWhole } from './image-records.js';
import { stateOf } from './plain-file.js';

/** Which images of a series stay. */
export interface Keep {
  readonly series: SeriesName;
  /** How many; null for all. */
  readonly keep: number | null;
  readonly protectedNames: ReadonlySet<string>;
}

/** An image that may be removed. */
interface Candidate {
  readonly fileName: string;
  readonly record: ImageRecord;
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
  const images = await wholeImages(device, keep.series);
  const limit = images.find(({ fileName }) => fileName === current)?.record.version;
  if (limit === undefined) return;
  const bound = images.filter(({ fileName }) => staying.has(fileName)).length;
  const loose = images.filter(({ fileName, record }) => !staying.has(fileName) && record.version < limit);
  const newestFirst = loose.sort((a, b) => (a.record.version < b.record.version ? 1 : -1));
  for (const old of newestFirst.slice(Math.max(0, keep.keep - bound))) await remove(device, old);
}

async function wholeImages({ dir, records }: Device, series: SeriesName): Promise<Candidate[]> {
  const whole: Candidate[] = [];
  for (const [fileName, record] of records.entries()) {
    if (record.series !== series || !isWhole(record)) continue;
    const state = await stateOf(join(dir, fileName));
    if (state !== null && isAsRecorded(record, state)) whole.push({ fileName, record });
  }
  return whole;
}

async function remove(device: Device, { fileName, record }: Candidate): Promise<void> {
  const { dir, layout, records, onEvent } = device;
  if (await layout.isProtected(fileName)) return;
  await device.assertMayGoOn();
  const path = join(dir, fileName);
  try {
    await rm(path);
    await syncDirectory(dir);
  } catch (error) {
    throw fromSystemError(error, 'remove it', path);
  }
  await records.change(new Map([[fileName, null]]));
  onEvent({ type: 'file-removed', path: fileName, sizeBytes: record.state.sizeBytes });
}
