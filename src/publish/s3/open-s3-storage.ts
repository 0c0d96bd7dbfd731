import type { RetryOptions } from '../../net/patience.js';
import type { Storage } from '../storage.js';
import { parseS3Address } from './address.js';
import { Bucket } from './bucket.js';
import { connect, serverOf } from './client.js';
import { listObjects } from './list.js';
import type { S3Options } from './options.js';
import { S3_PRIVATE_PREFIX } from './private-paths.js';
import { S3Storage } from './s3-storage.js';

/** How a storage is opened. */
export interface OpenS3 {
  readonly options: S3Options;
  /** How each request is made again that failed for now; left out, none is. */
  readonly retries?: RetryOptions;
  readonly signal: AbortSignal;
}

/** Requests are short here: what fails for so long is not there. */
const PATIENCE_MS = 5 * 60_000;

/**
 * The storage at `s3://bucket/prefix`. Asks for one listing, so that a bucket that is not there is known before anything
 * is stored anywhere. It makes its own requests again: nobody else has to.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none, CONFIG without credentials, STORAGE where the server
 * refuses or there is no such bucket, NETWORK
 */
export async function openS3Storage(target: string, { options, retries, signal }: OpenS3): Promise<Storage> {
  const address = parseS3Address(target);
  const client = await connect(options);
  const server = serverOf(client);
  const bounded = retries === undefined ? undefined : { patienceMs: PATIENCE_MS, ...retries };
  const bucket = new Bucket(client, address, options, bounded);
  try {
    for await (const _ of listObjects(bucket, S3_PRIVATE_PREFIX, signal)) break;
    return new S3Storage(bucket, server());
  } catch (error) {
    bucket.close();
    throw error;
  }
}
