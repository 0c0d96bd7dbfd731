import { type ErrorCode, UpdateRepositoryError } from '../../errors.js';

const MAX_ANSWER_LENGTH = 200;

/** Statuses and names of errors after which the same request may go well. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429]);
const PASSING_ERRORS: ReadonlySet<string> = new Set([
  // Two conditional writes met.
  'ConditionalRequestConflict',
  'OperationAborted',
  'RequestTimeout',
  'SlowDown',
  // The bytes were damaged on their way.
  'BadDigest',
]);
const FULL_ERRORS: ReadonlySet<string> = new Set(['QuotaExceeded', 'InsufficientCapacity']);

const HINTS: Readonly<Record<string, string>> = {
  AccessDenied: 'these credentials may not do that with this bucket',
  InvalidAccessKeyId: 'the access key is not known to this server: see AWS_PROFILE, AWS_ACCESS_KEY_ID and --endpoint',
  SignatureDoesNotMatch: 'the secret key is another one: see AWS_PROFILE and AWS_SECRET_ACCESS_KEY',
  NoSuchBucket: 'make the bucket first, or see --endpoint',
  RequestTimeTooSkewed: 'set the clock of this machine',
  AuthorizationHeaderMalformed: 'the bucket is in another region: see AWS_REGION',
  PermanentRedirect: 'the bucket is elsewhere: see AWS_REGION and --endpoint',
};

/**
 * What a failed request means, as our own error; `doing` completes "cannot …". Bugs pass through unchanged. The status
 * and the name of the error that the server gave are in its data.
 */
export function s3Failure(error: unknown, address: string, doing: string, signal: AbortSignal): unknown {
  if (error instanceof UpdateRepositoryError || !(error instanceof Error)) return error;
  if (signal.aborted) return new UpdateRepositoryError('INTERRUPTED', 'interrupted', { cause: error });
  const status = statusOf(error);
  if (status === null) return unanswered(error, address, doing);
  const details = error.message === 'UnknownError' || error.message === '' ? '' : `: ${oneLine(error.message)}`;
  const hint = HINTS[error.name];
  return new UpdateRepositoryError(
    isClockSetRight(error) ? 'NETWORK' : codeOf(status, error.name),
    `${address}: cannot ${doing}: expected success, found status ${status}, ${error.name}${details}`,
    { data: { path: address, status, s3Error: error.name }, cause: error, ...(hint === undefined ? {} : { hint }) },
  );
}

/** Whether the server answered with one of these statuses; that there is no such bucket is never meant. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  if (!(error instanceof UpdateRepositoryError) || error.data.s3Error === 'NoSuchBucket') return false;
  return statuses.some((status) => error.data.status === status);
}

function codeOf(status: number, name: string): ErrorCode {
  if (status === 507 || FULL_ERRORS.has(name)) return 'NO_SPACE';
  // 501 is for what the server has never heard of, and will not have in a minute.
  if ((status >= 500 && status !== 501) || PASSING_STATUSES.has(status) || PASSING_ERRORS.has(name)) return 'NETWORK';
  // An answer that was taken for success until something in it made no sense.
  return 'STORAGE';
}

function unanswered(error: Error, address: string, doing: string): unknown {
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') {
    return new UpdateRepositoryError(
      'CONFIG',
      `${address}: expected credentials, found none: ${oneLine(error.message)}`,
      {
        data: { path: address },
        cause: error,
        hint: 'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
      },
    );
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (code === error.name && error.name !== 'TimeoutError' && error.name !== 'AbortError') return error;
  return new UpdateRepositoryError('NETWORK', `${address}: cannot ${doing}: ${oneLine(error.message) || code}`, {
    data: { path: address, errno: code },
    cause: error,
    hint: 'see that the server runs and can be reached: --endpoint',
  });
}

/** The library has learnt how wrong this machine's clock is, and signs the next request with the right time. */
function isClockSetRight(error: Error): boolean {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return false;
  return 'clockSkewCorrected' in error.$metadata && error.$metadata.clockSkewCorrected === true;
}

function statusOf(error: Error): number | null {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null) return null;
  const metadata = error.$metadata;
  if (!('httpStatusCode' in metadata) || typeof metadata.httpStatusCode !== 'number') return null;
  return metadata.httpStatusCode;
}

/** What a server says is of foreign origin: as long and as plain as a message may be. */
function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_ANSWER_LENGTH);
}
