import { randomBytes } from 'node:crypto';
import type { Bucket } from './bucket.js';
import type { ConditionHeaders } from './conditions.js';
import { hasStatus } from './failure.js';
import { probePath } from './private-paths.js';
import { putMark } from './put.js';
import { removeObjects } from './remove.js';

/**
 * Whether the server heeds conditions: it is asked to store an object again that must not be there, and as a revision that
 * it is not.
 *
 * @throws UpdateRepositoryError STORAGE for what the server refuses, NETWORK
 */
export async function heedsConditions(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  const probe = probePath(randomBytes(8).toString('hex'));
  try {
    await putMark(bucket, probe, {}, signal);
    if (!(await isRefused(bucket, probe, { IfNoneMatch: '*' }, signal))) return false;
    return await isRefused(bucket, probe, { IfMatch: '"0123456789abcdef0123456789abcdef"' }, signal);
  } finally {
    await removeObjects(bucket, [probe], signal);
  }
}

/** A server that has never heard of conditions stores the object, or says that it does not know such headers. */
async function isRefused(
  bucket: Bucket,
  path: string,
  condition: ConditionHeaders,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await putMark(bucket, path, condition, signal);
    return false;
  } catch (error) {
    if (hasStatus(error, 412)) return true;
    if (hasStatus(error, 400, 501)) return false;
    throw error;
  }
}
