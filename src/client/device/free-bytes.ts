import { statfs } from 'node:fs/promises';
import { fromSystemError } from '../../errors.js';
import type { Device } from './device.js';

/** How many bytes the device's file system has left for this user. */
export async function freeBytes({ dir }: Device): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  } catch (error) {
    throw fromSystemError(error, 'ask how much room is left', dir);
  }
}
