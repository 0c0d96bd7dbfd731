import { PutObjectCommand } from '@aws-sdk/client-s3';
import { contentOf } from '../content.js';
import type { PutRequest, StorageCall, StoredObject } from '../storage.js';
import { md5Of, sender } from './body.js';
import type { Bucket, Perform } from './bucket.js';
import { type ConditionHeaders, putOnCondition } from './conditions.js';
import { objectHeaders } from './headers.js';
import type { MemoryBudget } from './memory-budget.js';
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
    const put = putter(bucket, request, bytes, call);
    const { condition } = request;
    const question = { path: request.path, doing: 'store it', signal: call.signal };
    if (condition === undefined) return await bucket.ask(question, put(null));
    // What an answer to a second try means depends on the first: that is thought of where the condition is.
    return await putOnCondition(bucket, { ...request, condition }, call.signal, (once, headers) =>
      once.ask(question, put(headers)),
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

/** What stores the bytes on a condition. */
function putter(bucket: Bucket, request: PutRequest, bytes: Buffer, call: StorageCall) {
  const { path, sizeBytes, sha256 } = request;
  const headers = { ...bucket.at(path), ...objectHeaders(request, bucket.options) };
  const send = sender(bytes, md5Of(bytes), call);
  return (condition: ConditionHeaders | null): Perform<StoredObject> =>
    async (client, { abortSignal }) => {
      const { ETag } = await send(abortSignal, (body, signal) =>
        client.send(new PutObjectCommand({ ...headers, ...condition, ...body }), { abortSignal: signal }),
      );
      return { path, sizeBytes, revision: revisionOf(ETag), sha256 };
    };
}
