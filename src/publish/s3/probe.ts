import { randomBytes } from 'node:crypto';
import type { Bucket } from './bucket.js';
import type { ConditionHeaders } from './conditions.js';
import { hasStatus } from './failure.js';
import { listObjects } from './list.js';
import { conditionsMark, probePath } from './private-paths.js';
import { putMark } from './put.js';
import { removeObjects } from './remove.js';

/**
 * Whether the server heeds conditions. Tried once, by storing an object again that must not be there, and as a revision
 * that it is not; that both were refused is remembered in the bucket. What is not known and must not be tried, since
 * nothing may be written, counts as no.
 *
 * @throws UpdateRepositoryError STORAGE where there is no such bucket, and what else the server refuses
 */
export async function heedsConditions(bucket: Bucket, mayWrite: boolean, signal: AbortSignal): Promise<boolean> {
  const mark = conditionsMark(bucket.options.endpoint, bucket.address);
  for await (const { path } of listObjects(bucket, mark, signal)) if (path === mark) return true;
  if (!mayWrite) return false;
  const probe = probePath(randomBytes(8).toString('hex'));
  try {
    await putMark(bucket, probe, {}, signal);
    if (!(await isRefused(bucket, probe, { IfNoneMatch: '*' }, signal))) return false;
    if (!(await isRefused(bucket, probe, { IfMatch: '"0123456789abcdef0123456789abcdef"' }, signal))) return false;
    await putMark(bucket, mark, {}, signal);
    return true;
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
