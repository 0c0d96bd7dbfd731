import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError } from '../../errors.js';
import { syncDirectory } from '../../io/atomic-file.js';
import type { Device } from './device.js';
import type { OwnImage } from './own-images.js';

/**
 * Removes an image to which no pointer leads, unless somebody else needs it.
 *
 * @throws UpdateRepositoryError IO, LOCKED; the reason of an abort
 */
export async function removeImage(device: Device, { fileName, record }: OwnImage): Promise<void> {
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
