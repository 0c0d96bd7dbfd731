import type { PutRequest, StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { listObjects } from './list.js';
import { lookAt } from './look.js';
import { parseUploadNote, UPLOADS_PREFIX, uploadNote } from './private-paths.js';
import { putMark } from './put.js';
import { removeObjects } from './remove.js';
import { abortUpload, createUpload, listParts, listUploads, type Part, type Upload } from './uploads.js';

/** An upload, and what the server has of it already. */
export interface OpenUpload {
  readonly kind: 'open';
  readonly upload: Upload;
  /** Another one to the same path may be open. */
  readonly hasTwin: boolean;
  readonly parts: ReadonlyMap<number, Part>;
}

/** An upload that has become the object already. */
export interface FinishedUpload {
  readonly kind: 'stored';
  readonly object: StoredObject;
}

/*
 * A server does not tell what an open upload is to become. So before an upload is begun an empty object notes its path
 * and its content, and goes when no upload to that path is open any more. Without a note none is ours. With a note of
 * this very content, all are: whoever notes another content ends them first.
 */

/** The upload of this content to this path: one that a publish left when it ended before its time, or a new one. */
export async function openUpload(
  bucket: Bucket,
  request: PutRequest,
  signal: AbortSignal,
): Promise<OpenUpload | FinishedUpload> {
  const { path, sizeBytes, sha256 } = request;
  const noted = (await notedUploads(bucket, signal)).filter((note) => note.path === path);
  if (noted.length === 1 && noted[0]?.sha256 === sha256) {
    const open = await fullestUpload(bucket, path, signal);
    if (open !== null) return open;
    // All parts were put together, and nobody heard of it.
    const object = await lookAt(bucket, path, signal);
    if (object?.sha256 === sha256 && object.sizeBytes === sizeBytes) return { kind: 'stored', object };
  } else {
    if (noted.length > 0) await abandonUploads(bucket, path, signal);
    await putMark(bucket, uploadNote(path, sha256), {}, signal);
  }
  return { kind: 'open', ...(await createUpload(bucket, request, signal)), parts: new Map() };
}

/** Ends what is open of uploads to a path, and forgets them. */
export async function abandonUploads(bucket: Bucket, path: string, signal: AbortSignal): Promise<void> {
  for (const upload of await listUploads(bucket, path, signal)) await abortUpload(bucket, upload, signal);
  const notes = (await notedUploads(bucket, signal)).filter((note) => note.path === path);
  await removeObjects(
    bucket,
    notes.map(({ sha256 }) => uploadNote(path, sha256)),
    signal,
  );
}

/** Ends all uploads that a publish began and none has ended. */
export async function abandonAllUploads(bucket: Bucket, signal: AbortSignal): Promise<void> {
  const paths = (await notedUploads(bucket, signal)).map(({ path }) => path);
  for (const path of new Set(paths)) await abandonUploads(bucket, path, signal);
}

interface NotedUpload {
  readonly path: string;
  readonly sha256: string;
}

async function notedUploads(bucket: Bucket, signal: AbortSignal): Promise<NotedUpload[]> {
  const noted: NotedUpload[] = [];
  for await (const { path } of listObjects(bucket, UPLOADS_PREFIX, signal)) {
    const upload = parseUploadNote(path);
    if (upload !== null) noted.push(upload);
  }
  return noted;
}

/** A request that was answered late may have begun two: the one with more parts is kept, the others are ended. */
async function fullestUpload(bucket: Bucket, path: string, signal: AbortSignal): Promise<OpenUpload | null> {
  let fullest: OpenUpload | null = null;
  for (const upload of await listUploads(bucket, path, signal)) {
    const open: OpenUpload = { kind: 'open', upload, hasTwin: false, parts: await listParts(bucket, upload, signal) };
    const worse: OpenUpload | null = fullest !== null && fullest.parts.size >= open.parts.size ? open : fullest;
    if (worse !== open) fullest = open;
    if (worse !== null) await abortUpload(bucket, worse.upload, signal);
  }
  return fullest;
}
