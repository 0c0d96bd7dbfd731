import { PutObjectCommand } from '@aws-sdk/client-s3';
import { contentOf } from '../content.js';
import type { PutRequest, StorageCall, StoredObject } from '../storage.js';
import { md5Of, sendBytes } from './body.js';
import type { Bucket } from './bucket.js';
import { type ConditionHeaders, putOnCondition } from './conditions.js';
import { objectHeaders } from './headers.js';
import type { MemoryBudget } from './memory-budget.js';
import { TRIES } from './persistently.js';
import { revisionOf } from './revision.js';

/** Stores a small object by one request, once all of it was read and found to be what the request says. */
export async function putAtOnce(
  bucket: Bucket,
  request: PutRequest,
  budget: MemoryBudget,
  call: StorageCall,
): Promise<StoredObject | null> {
  const bytes = await budget.borrow(request.sizeBytes);
  try {
    await readInto(bytes, request, call.signal);
    const { condition } = request;
    if (condition === undefined) return await putBytes(bucket, request, bytes, null, call);
    return await putOnCondition(bucket, { ...request, condition }, call.signal, (headers) =>
      putBytes(bucket, request, bytes, headers, call),
    );
  } finally {
    budget.giveBack(bytes);
  }
}

/** Stores an object that says something by being there. */
export async function putMark(bucket: Bucket, path: string, condition: ConditionHeaders, signal: AbortSignal) {
  const { Bucket, Key } = bucket.at(path);
  return await bucket.ask({ path, doing: 'store it', signal }, (client, options) =>
    client.send(new PutObjectCommand({ Bucket, Key, ...condition, ...EMPTY }), options),
  );
}

const EMPTY = { Body: '', ContentLength: 0, ContentMD5: md5Of(new Uint8Array()).toString('base64') };

async function readInto(buffer: Buffer, request: PutRequest, signal: AbortSignal): Promise<void> {
  let at = 0;
  for await (const piece of contentOf(request, { signal })) {
    // What is too much is only counted, for the message.
    if (at + piece.length <= buffer.length) buffer.set(piece, at);
    at += piece.length;
  }
}

async function putBytes(
  bucket: Bucket,
  request: PutRequest,
  bytes: Buffer,
  condition: ConditionHeaders | null,
  call: StorageCall,
): Promise<StoredObject> {
  const { path, sizeBytes, sha256 } = request;
  const headers = { ...bucket.at(path), ...objectHeaders(request, bucket.options), ...condition };
  const { ETag } = await sendBytes(
    bytes,
    md5Of(bytes),
    call,
    (body, signal) =>
      bucket.ask({ path, doing: 'store it', signal }, (client, options) =>
        client.send(new PutObjectCommand({ ...headers, ...body }), options),
      ),
    // What an answer to a second try means depends on the first: that is thought of where the condition is.
    condition === null ? TRIES : 1,
  );
  return { path, sizeBytes, revision: revisionOf(ETag), sha256 };
}
