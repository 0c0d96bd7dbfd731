import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UpdateRepositoryError } from '../errors.js';
import type { Storage } from './storage.js';

/** Whether a text is the address of a storage, and not the path of a local mirror. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * The storage at an address: `file:///srv/www`, or a path with a slash in it; `https://www.example.org/mirror`.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none, or of a kind that is not known
 */
export async function openStorage(target: string): Promise<Storage> {
  if (/^https?:/i.test(target)) {
    const { openHttpStorage } = await import('./http/open.js');
    return await openHttpStorage(target);
  }
  if (target.startsWith('file:')) return await directory(fileUrlPath(target), target);
  if (!isAddress(target) && target.includes('/')) return await directory(target, target);
  throw unknown(target);
}

async function directory(path: string, target: string): Promise<Storage> {
  if (path === '') throw unknown(target);
  const { FileStorage } = await import('./file-storage.js');
  return new FileStorage(resolve(path));
}

function fileUrlPath(target: string): string {
  try {
    return fileURLToPath(target);
  } catch (error) {
    if (error instanceof TypeError) throw unknown(target);
    throw error;
  }
}

function unknown(target: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `${target}: expected a place to publish to, such as file:///srv/www`, {
    data: { target },
  });
}
