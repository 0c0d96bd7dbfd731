import { statSync } from 'node:fs';
import { fromSystemError } from '../errors.js';

/** The size of the file at `path` in bytes. Throws NOT_FOUND or IO. */
export function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}
