import { statSync } from 'node:fs';
import { isSystemError } from '../errors.js';

/** Whether `path` is a directory; false when there is nothing. Throws when the operating system does not tell. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
