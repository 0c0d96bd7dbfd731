import type { Storage } from '../storage.js';
import { parseS3Address } from './address.js';
import { Bucket } from './bucket.js';
import { connect } from './client.js';
import type { S3Options } from './options.js';
import { heedsConditions } from './probe.js';
import { S3Storage } from './s3-storage.js';

/** How a storage is opened. */
export interface OpenS3 {
  readonly options: S3Options;
  /** Nothing may be stored, not even to find out what the server can do. */
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * The storage at `s3://bucket/prefix`. The bucket has to be there. Asks for one listing, which tells what was found out
 * about the server before; the first time it is tried.
 *
 * @throws UpdateRepositoryError USAGE for an address that is none, CONFIG without credentials, STORAGE where the server
 * refuses or there is no such bucket, NETWORK
 */
export async function openS3Storage(target: string, { options, readOnly, signal }: OpenS3): Promise<Storage> {
  const address = parseS3Address(target);
  const bucket = new Bucket(await connect(options), address, options);
  try {
    return new S3Storage(bucket, await heedsConditions(bucket, !readOnly, signal));
  } catch (error) {
    bucket.close();
    throw error;
  }
}
