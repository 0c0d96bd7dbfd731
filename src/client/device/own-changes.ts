import { join } from 'node:path';
import { isUnwritten } from '../../io/file-identity.js';
import type { Device } from './device.js';
import { type ImageRecord, isAsRecorded } from './image-records.js';
import { stateOf } from './plain-file.js';

/**
 * Does `work`, which renames or links these images and writes none of them, and records their states anew: it is known
 * why their ctime has changed, so that they need not be read again.
 */
export async function keepingRecords<T>(
  device: Device,
  fileNames: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const known = await untouchedRecords(device, fileNames);
  const result = await work();
  await device.records.change(await changedStates(device, known));
  return result;
}

async function untouchedRecords(
  { dir, records }: Device,
  fileNames: readonly string[],
): Promise<ReadonlyMap<string, ImageRecord>> {
  const known = new Map<string, ImageRecord>();
  for (const fileName of fileNames) {
    const record = records.get(fileName);
    const state = record === undefined ? null : await stateOf(join(dir, fileName));
    if (record !== undefined && state !== null && isAsRecorded(record, state))
      known.set(fileName, { ...record, state });
  }
  return known;
}

async function changedStates(
  { dir }: Device,
  known: ReadonlyMap<string, ImageRecord>,
): Promise<ReadonlyMap<string, ImageRecord>> {
  const changes = new Map<string, ImageRecord>();
  for (const [fileName, record] of known) {
    const state = await stateOf(join(dir, fileName));
    if (state === null || isAsRecorded(record, state) || !isUnwritten(record.state, state)) continue;
    changes.set(fileName, { ...record, state });
  }
  return changes;
}
