import { hasCode, UpdateRepositoryError } from '../../errors.js';
import type { PutRequest, StorageCall, StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { hasStatus } from './failure.js';
import { lookAt } from './look.js';
import type { MemoryBudget } from './memory-budget.js';
import { uploadNote } from './private-paths.js';
import { removeObjects } from './remove.js';
import { abandonUploads, type OpenUpload, openUpload } from './resume.js';
import { sendParts } from './send-parts.js';
import { completeUpload } from './uploads.js';

/** How long a run that was stopped waits for the server to throw away what was sent. */
const ABANDON_MS = 10_000;

/**
 * Stores a large object in parts, of which it sends only those that the server has not got from a run that was killed. The
 * object appears when all were sent and the content was found to be what the request says. What failed is thrown away,
 * unless another try may help: that goes on where this one ended.
 */
export async function putInParts(
  bucket: Bucket,
  request: PutRequest,
  budget: MemoryBudget,
  call: StorageCall,
): Promise<StoredObject> {
  const { path, sha256 } = request;
  try {
    const open = await openUpload(bucket, request, call.signal);
    const etags = await sendParts(bucket, open, request, budget, call);
    const stored = await complete(bucket, open, etags, request, call.signal);
    await removeObjects(bucket, [uploadNote(path, sha256)], call.signal);
    return stored;
  } catch (error) {
    if (!hasCode(error, 'NETWORK')) await abandon(bucket, path);
    throw error;
  }
}

/** The object itself tells what the answer may not: Ceph's has no ETag, and one that was lost has nothing. */
async function complete(
  bucket: Bucket,
  { upload }: OpenUpload,
  etags: readonly string[],
  { path, sizeBytes, sha256 }: PutRequest,
  signal: AbortSignal,
): Promise<StoredObject> {
  let failure: unknown;
  try {
    await completeUpload(bucket, upload, etags, signal);
  } catch (error) {
    // The answer to a first try was lost.
    if (!hasStatus(error, 404)) throw error;
    failure = error;
  }
  const stored = await lookAt(bucket, path, signal);
  if (stored?.sha256 === sha256 && stored.sizeBytes === sizeBytes) return stored;
  if (failure !== undefined) throw failure;
  const found = stored === null ? 'none' : `${stored.sizeBytes} bytes with sha256 ${stored.sha256 ?? 'unknown'}`;
  const name = bucket.nameOf(path);
  throw new UpdateRepositoryError(
    'STORAGE',
    `${name}: expected what was stored just now, ${sizeBytes} bytes with sha256 ${sha256}, found ${found}`,
    { data: { path: name } },
  );
}

/** Where even that fails, the note stays, and the next run finds what is left. */
async function abandon(bucket: Bucket, path: string): Promise<void> {
  try {
    await abandonUploads(bucket, path, AbortSignal.timeout(ABANDON_MS));
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
  }
}
