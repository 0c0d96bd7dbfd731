import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { UpdateRepositoryError } from '../../errors.js';
import type { PutRequest } from '../storage.js';
import type { Bucket } from './bucket.js';
import { hasStatus } from './failure.js';
import { objectHeaders } from './headers.js';
import { revisionOf } from './revision.js';

/** A multipart upload: an object in the making that no reader sees. */
export interface Upload {
  readonly path: string;
  readonly id: string;
}

/** A part that the server has. */
export interface Part {
  readonly sizeBytes: number;
  /** Its ETag without quotes: its MD5 in hexadecimal digits, unless the server encrypts with keys of others. */
  readonly etag: string;
}

/** Begins an upload; `hasTwin` says that the server may have begun another one, whose answer was lost. */
export async function createUpload(
  bucket: Bucket,
  request: PutRequest,
  signal: AbortSignal,
): Promise<{ readonly upload: Upload; readonly hasTwin: boolean }> {
  const { path } = request;
  let asked = 0;
  const command = new CreateMultipartUploadCommand({ ...bucket.at(path), ...objectHeaders(request, bucket.options) });
  const { UploadId } = await bucket.ask({ path, doing: 'begin to store it', signal }, (client, options) => {
    asked += 1;
    return client.send(command, options);
  });
  if (UploadId !== undefined) return { upload: { path, id: UploadId }, hasTwin: asked > 1 };
  const name = bucket.nameOf(path);
  throw new UpdateRepositoryError(
    'STORAGE',
    `${name}: expected an upload that was begun, found an answer without one`,
    {
      data: { path: name },
    },
  );
}

/** All uploads to exactly this path that were begun and not ended. */
export async function listUploads(bucket: Bucket, path: string, signal: AbortSignal): Promise<Upload[]> {
  const { Bucket, Key } = bucket.at(path);
  const found: Upload[] = [];
  let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (after !== undefined) {
    const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket, Prefix: Key, ...after });
    const page = await bucket.ask({ path, doing: 'find what was sent of it', signal }, (client, options) =>
      client.send(command, options),
    );
    for (const upload of page.Uploads ?? []) {
      if (upload.Key === Key && upload.UploadId !== undefined) found.push({ path, id: upload.UploadId });
    }
    const { NextKeyMarker, NextUploadIdMarker } = page;
    after =
      page.IsTruncated !== true || NextKeyMarker === undefined
        ? undefined
        : {
            KeyMarker: NextKeyMarker,
            ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
          };
  }
  return found;
}

/** What the server has of an upload, by number of the part. */
export async function listParts(bucket: Bucket, upload: Upload, signal: AbortSignal): Promise<Map<number, Part>> {
  const { path, id } = upload;
  const parts = new Map<number, Part>();
  let after: string | undefined;
  do {
    const command: ListPartsCommand = new ListPartsCommand({
      ...bucket.at(path),
      UploadId: id,
      ...(after === undefined ? {} : { PartNumberMarker: after }),
    });
    const page = await bucket.ask({ path, doing: 'find what was sent of it', signal }, (client, options) =>
      client.send(command, options),
    );
    for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
      if (PartNumber !== undefined) parts.set(PartNumber, { sizeBytes: Size ?? -1, etag: revisionOf(ETag) });
    }
    after = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (after !== undefined);
  return parts;
}

/** Makes the object of its parts, given by their ETags in order. */
export async function completeUpload(
  bucket: Bucket,
  { path, id }: Upload,
  etags: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const Parts = etags.map((etag, index) => ({ PartNumber: index + 1, ETag: `"${etag}"` }));
  const command = new CompleteMultipartUploadCommand({ ...bucket.at(path), UploadId: id, MultipartUpload: { Parts } });
  await bucket.ask({ path, doing: 'put its parts together', signal }, (client, options) =>
    client.send(command, options),
  );
}

/** Throws away what was sent of an upload; one that is not there is no failure. */
export async function abortUpload(bucket: Bucket, { path, id }: Upload, signal: AbortSignal): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...bucket.at(path), UploadId: id });
  try {
    await bucket.ask({ path, doing: 'throw away what was sent of it', signal }, (client, options) =>
      client.send(command, options),
    );
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}
