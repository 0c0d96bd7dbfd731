import type {
  CreateMultipartUploadCommandInput,
  ObjectCannedACL,
  ServerSideEncryption,
  StorageClass,
} from '@aws-sdk/client-s3';
import type { PutRequest } from '../storage.js';
import type { S3Options } from './options.js';

/** The name under which an object's metadata holds its sha256: `x-amz-meta-sha256`. */
export const SHA256_METADATA = 'sha256';

/** What goes with an object, whether it is sent at once or in parts. Content-Encoding never does. */
export type ObjectHeaders = Pick<
  CreateMultipartUploadCommandInput,
  'ContentType' | 'CacheControl' | 'Metadata' | 'StorageClass' | 'ACL' | 'ServerSideEncryption'
>;

/** The headers of an object. What the operator chose goes as it is: servers have classes and ACLs of their own. */
export function objectHeaders(
  { mediaType, cacheControl, sha256 }: Pick<PutRequest, 'mediaType' | 'cacheControl' | 'sha256'>,
  { storageClass, acl, serverSideEncryption }: S3Options,
): ObjectHeaders {
  return {
    ContentType: mediaType,
    CacheControl: cacheControl,
    Metadata: { [SHA256_METADATA]: sha256 },
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
    ...(acl === undefined ? {} : { ACL: acl as ObjectCannedACL }),
    ...(serverSideEncryption === undefined
      ? {}
      : { ServerSideEncryption: serverSideEncryption as ServerSideEncryption }),
  };
}
