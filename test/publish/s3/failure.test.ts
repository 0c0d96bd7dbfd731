import { S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it, test } from 'vitest';
import { hasStatus, s3Failure } from '../../../src/publish/s3/failure.js';

const { signal } = new AbortController();

function answer(httpStatusCode: number, name: string, message = 'UnknownError'): S3ServiceException {
  return new S3ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode } });
}

describe('what a server answers', () => {
  it.each([
    [500, 'InternalError', 'NETWORK'],
    [503, 'SlowDown', 'NETWORK'],
    [429, 'TooManyRequests', 'NETWORK'],
    [409, 'ConditionalRequestConflict', 'NETWORK'],
    [400, 'RequestTimeout', 'NETWORK'],
    [400, 'BadDigest', 'NETWORK'],
    [501, 'NotImplemented', 'STORAGE'],
    [403, 'AccessDenied', 'STORAGE'],
    [404, 'NoSuchBucket', 'STORAGE'],
    [301, 'PermanentRedirect', 'STORAGE'],
    [507, 'InsufficientStorage', 'NO_SPACE'],
    [403, 'QuotaExceeded', 'NO_SPACE'],
  ])('with status %i, %s, is %s', (status, name, code) => {
    const failure = s3Failure(answer(status, name), 's3://b/a.img', 'store it', signal);
    expect(failure).toMatchObject({
      code,
      message: `s3://b/a.img: cannot store it: expected success, found status ${status}, ${name}`,
      data: { path: 's3://b/a.img', status, s3Error: name },
    });
  });
});

test('the words of a server become one line that is not long', () => {
  const failure = s3Failure(
    answer(403, 'AccessDenied', `no\n\u001b[31m${'x'.repeat(999)}`),
    's3://b/a',
    'read it',
    signal,
  );
  expect(failure).toMatchObject({ message: expect.stringMatching(/AccessDenied: no \[31mx{190,}$/) });
  expect(failure).toMatchObject({ hint: expect.stringContaining('may not') });
});

test('no answer is a failure of the network, no credentials one of the configuration, a bug stays one', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', errno: -111 });
  expect(s3Failure(refused, 's3://b', 'list it', signal)).toMatchObject({ code: 'NETWORK' });
  const slow = Object.assign(new Error('timed out'), { name: 'TimeoutError' });
  expect(s3Failure(slow, 's3://b', 'list it', signal)).toMatchObject({ code: 'NETWORK' });
  const unknown = Object.assign(new Error('Could not load credentials'), { name: 'CredentialsProviderError' });
  expect(s3Failure(unknown, 's3://b', 'list it', signal)).toMatchObject({ code: 'CONFIG' });
  const bug = new TypeError('x is not a function');
  expect(s3Failure(bug, 's3://b', 'list it', signal)).toBe(bug);
});

test('after an abort everything is an interruption', () => {
  const failure = s3Failure(answer(500, 'InternalError'), 's3://b', 'list it', AbortSignal.abort());
  expect(failure).toMatchObject({ code: 'INTERRUPTED' });
});

test('that there is no such bucket is not taken for a missing object', () => {
  const missing = (name: string) => s3Failure(answer(404, name), 's3://b/a', 'read it', signal);
  expect(hasStatus(missing('NoSuchKey'), 404)).toBe(true);
  expect(hasStatus(missing('NoSuchKey'), 412)).toBe(false);
  expect(hasStatus(missing('NoSuchBucket'), 404)).toBe(false);
});
