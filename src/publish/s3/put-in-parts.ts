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

/** How long the server is waited for when it is to throw away what was sent. */
const ABANDON_MS = 10_000;

/** What a server says of an upload that can never become an object. */
const REFUSALS: ReadonlySet<unknown> = new Set([
  'NoSuchUpload',
  'InvalidPart',
  'InvalidPartOrder',
  'EntityTooSmall',
  'EntityTooLarge',
]);

/**
 * Stores a large object in parts, of which it sends only those that the server has not got from a run that ended before.
 * The object appears when all were sent and the content was found to be what the request says. Whatever ends it, what
 * was sent stays for the next one to go on with, unless it can be of no use.
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
    const stored = open.kind === 'stored' ? open.object : await finish(bucket, open, request, budget, call);
    if (open.kind === 'open' && open.hasTwin) await abandonUploads(bucket, path, call.signal);
    else await removeObjects(bucket, [uploadNote(path, sha256)], call.signal);
    return stored;
  } catch (error) {
    if (isOfNoUse(error)) await abandon(bucket, path);
    throw error;
  }
}

async function finish(
  bucket: Bucket,
  open: OpenUpload,
  request: PutRequest,
  budget: MemoryBudget,
  call: StorageCall,
): Promise<StoredObject> {
  const etags = await sendParts(bucket, open, request, budget, call);
  return await complete(bucket, open, etags, request, call.signal);
}

/** Whether what was sent is not of this content, or the server will make no object of it. */
function isOfNoUse(error: unknown): boolean {
  if (hasCode(error, 'CHANGED_WHILE_READ') || hasCode(error, 'VERIFICATION')) return true;
  return error instanceof UpdateRepositoryError && REFUSALS.has(error.data.s3Error);
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
    'VERIFICATION',
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
