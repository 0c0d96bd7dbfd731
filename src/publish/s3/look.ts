import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { UpdateRepositoryError } from '../../errors.js';
import type { StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { hasStatus, s3Failure } from './failure.js';
import { SHA256_METADATA } from './headers.js';
import { revisionOf } from './revision.js';

/** What the bucket knows of an object, with the sha256 that it was stored with; null where there is none. */
export async function lookAt(bucket: Bucket, path: string, signal: AbortSignal): Promise<StoredObject | null> {
  try {
    const found = await bucket.ask({ path, doing: 'look at it', signal }, (client, options) =>
      client.send(new HeadObjectCommand(bucket.at(path)), options),
    );
    const sha256 = found.Metadata?.[SHA256_METADATA];
    return {
      path,
      sizeBytes: found.ContentLength ?? 0,
      revision: revisionOf(found.ETag),
      ...(sha256 === undefined ? {} : { sha256 }),
    };
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

/** The bytes of an object; null where there is none. */
export async function readObject(
  bucket: Bucket,
  path: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | null> {
  try {
    const { Body } = await bucket.ask({ path, doing: 'read it', signal }, (client, options) =>
      client.send(new GetObjectCommand(bucket.at(path)), options),
    );
    if (!(Body instanceof Readable)) throw noBody(bucket, path);
    return pieces(bucket, path, Body, signal);
  } catch (error) {
    if (hasStatus(error, 404)) return null;
    throw error;
  }
}

async function* pieces(bucket: Bucket, path: string, body: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => body.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    yield* body;
    // A stream that is destroyed without an error ends as if all were there.
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
  } catch (error) {
    throw s3Failure(error, bucket.nameOf(path), 'read it', signal);
  } finally {
    signal.removeEventListener('abort', stop);
    body.destroy();
  }
}

function noBody(bucket: Bucket, path: string): UpdateRepositoryError {
  const name = bucket.nameOf(path);
  return new UpdateRepositoryError('STORAGE', `${name}: expected its bytes, found an answer without any`, {
    data: { path: name },
  });
}
