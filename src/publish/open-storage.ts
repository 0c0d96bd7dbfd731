import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UpdateRepositoryError } from '../errors.js';
import { PRIVATE_DIR } from '../metadata/mirror-paths.js';
import type { RetryOptions } from '../net/patience.js';
import { STATE_PATH } from './remote-state.js';
import { withRetries } from './retry.js';
import { parseRsyncAddress } from './rsync/address.js';
import type { S3Options } from './s3/options.js';
import type { Storage } from './storage.js';

/** What an address does not say. */
export interface StorageOptions {
  /** How requests are made again that failed for now; left out, none is. */
  readonly retries?: RetryOptions;
  readonly signal: AbortSignal;
  readonly s3: S3Options;
}

/** Whether a text is the address of a storage, and not the path of a local mirror. */
export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || parseRsyncAddress(text) !== null;
}

/**
 * The address of a directory that a mirror was published to, given as a path; null for a mirror that was built there, and
 * for anything else.
 */
export function publishedDirectory(path: string): string | null {
  const isThere = (name: string) => existsSync(join(path, name));
  if (!isThere(STATE_PATH) || isThere(join(PRIVATE_DIR, 'settings.json'))) return null;
  return pathToFileURL(resolve(path)).href;
}

/**
 * The storage at an address: `file:///srv/www`, or a path with a slash in it; `s3://bucket/prefix`; `https://host/path`; `ssh://host/path`,
 * `host:path`, `rsync://host/module` or `host::module`.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none, or of a kind that is not known; what the storage throws
 */
export async function openStorage(target: string, options: StorageOptions): Promise<Storage> {
  const { retries, signal } = options;
  if (/^s3:/i.test(target)) {
    const { openS3Storage } = await import('./s3/open-s3-storage.js');
    const opening = retries === undefined ? { signal } : { signal, retries };
    return await openS3Storage(target, { options: options.s3, ...opening });
  }
  const storage = await openOther(target, options);
  return retries === undefined ? storage : withRetries(storage, retries);
}

/** Where a storage does not make its requests again by itself. */
async function openOther(target: string, options: StorageOptions): Promise<Storage> {
  if (/^https?:/i.test(target)) {
    const { openHttpStorage } = await import('./http/open.js');
    return await openHttpStorage(target, { signal: options.signal });
  }
  if (target.startsWith('file:')) return await directory(fileUrlPath(target), target);
  const rsync = parseRsyncAddress(target);
  if (rsync !== null) {
    const { RsyncStorage } = await import('./rsync/rsync-storage.js');
    return new RsyncStorage(rsync);
  }
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
  return new UpdateRepositoryError(
    'USAGE',
    `${target}: expected a place to publish to, such as file:///srv/www or s3://bucket/prefix`,
    {
      data: { target },
    },
  );
}
