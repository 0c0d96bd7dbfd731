import type { Bucket } from './bucket.js';
import type { ConditionHeaders } from './conditions.js';
import { hasStatus } from './failure.js';
import { PROBE_PATH } from './private-paths.js';
import { putMark } from './put.js';

/**
 * Whether the server heeds conditions: it is asked to store an object again that must not be there, and as a revision that
 * it is not. That object stays, so that two who try at the same time do not mislead each other, and none is left by a kill.
 *
 * @throws UpdateRepositoryError STORAGE for what the server refuses, NETWORK
 */
export async function heedsConditions(bucket: Bucket, signal: AbortSignal): Promise<boolean> {
  const isRefusedAgain = async () => await isRefused(bucket, { IfNoneMatch: '*' }, signal);
  // The first time it is stored.
  if (!(await isRefusedAgain()) && !(await isRefusedAgain())) return false;
  return await isRefused(bucket, { IfMatch: '"0123456789abcdef0123456789abcdef"' }, signal);
}

/** A server that has never heard of conditions stores the object, or says that it does not know such headers. */
async function isRefused(bucket: Bucket, condition: ConditionHeaders, signal: AbortSignal): Promise<boolean> {
  try {
    await putMark(bucket, PROBE_PATH, condition, signal);
    return false;
  } catch (error) {
    if (hasStatus(error, 412)) return true;
    if (hasStatus(error, 400, 501)) return false;
    throw error;
  }
}
