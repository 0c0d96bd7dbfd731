import { statSync } from 'node:fs';
import { isSystemError } from '../errors.js';

/** Whether `path` is a plain file; false when there is nothing. Throws when the operating system does not tell. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return false;
    throw error;
  }
}
