import { UpdateRepositoryError } from '../../errors.js';
import { findRelativePathFault } from '../../metadata/safe-name.js';

/** A place in an S3 server. */
export interface S3Address {
  readonly bucket: string;
  /** Put before every path: empty, or ending with a slash. */
  readonly keyPrefix: string;
  /** For messages: `s3://bucket/prefix`. */
  readonly name: string;
}

/** Of buckets: what S3 allows, and what older ones were allowed. */
const BUCKET_FORM = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;

/**
 * Reads `s3://bucket` or `s3://bucket/prefix`. The prefix is taken as it is, without percent signs that stand for others.
 *
 * @throws UpdateRepositoryError USAGE
 */
export function parseS3Address(target: string): S3Address {
  const rest = target.replace(/^s3:\/\//i, '');
  const [bucket = '', ...parts] = rest.replace(/\/+$/, '').split('/');
  const prefix = parts.join('/');
  if (!BUCKET_FORM.test(bucket) || (prefix !== '' && findRelativePathFault(prefix) !== null)) {
    // What stands before an @ may be a secret.
    const shown = target.replace(/\/\/[^/]*@/, '//…@');
    throw new UpdateRepositoryError('USAGE', `${shown}: expected s3://bucket or s3://bucket/prefix`, {
      data: { target: shown },
      hint: 'credentials come from the environment or an AWS profile, the server from --endpoint',
    });
  }
  return prefix === ''
    ? { bucket, keyPrefix: '', name: `s3://${bucket}` }
    : { bucket, keyPrefix: `${prefix}/`, name: `s3://${bucket}/${prefix}` };
}
