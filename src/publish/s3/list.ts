import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { StoredObject } from '../storage.js';
import type { Bucket } from './bucket.js';
import { revisionOf } from './revision.js';

/** All objects below a prefix, by one request for every thousand. */
export async function* listObjects(bucket: Bucket, prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
  let after: string | undefined;
  do {
    const page = await listPage(bucket, prefix, after, signal);
    for (const { Key, Size, ETag } of page.Contents ?? []) {
      const path = bucket.pathOf(decodeKey(Key ?? '', page.EncodingType));
      // The prefix itself, and what ends like a directory: consoles make such objects to show folders.
      if (path === '' || path.endsWith('/')) continue;
      yield { path, sizeBytes: Size ?? 0, revision: revisionOf(ETag) };
    }
    after = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (after !== undefined);
}

async function listPage(
  bucket: Bucket,
  prefix: string,
  after: string | undefined,
  signal: AbortSignal,
): Promise<ListObjectsV2CommandOutput> {
  const { Bucket: name, Key: keyPrefix } = bucket.at(prefix);
  const command = new ListObjectsV2Command({
    Bucket: name,
    Prefix: keyPrefix,
    // Keys of others may hold characters that XML has no way to write.
    EncodingType: 'url',
    ...(after === undefined ? {} : { ContinuationToken: after }),
  });
  return await bucket.ask({ path: '', doing: 'list it', signal }, (client, options) => client.send(command, options));
}

function decodeKey(key: string, encoding: string | undefined): string {
  if (encoding !== 'url') return key;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (error) {
    // Bytes that are no UTF-8: the object of somebody else, whose name only has to be none of ours.
    if (error instanceof URIError) return key;
    throw error;
  }
}
