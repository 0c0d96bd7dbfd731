import { DeleteObjectsCommand, type _Error as S3Error } from '@aws-sdk/client-s3';
import { UpdateRepositoryError } from '../../errors.js';
import { md5Of } from './body.js';
import type { Bucket } from './bucket.js';

/** The most that one request may name. */
const BATCH = 1000;

/** Removes objects, a thousand with each request; what is not there counts as removed. */
export async function removeObjects(bucket: Bucket, paths: readonly string[], signal: AbortSignal): Promise<void> {
  for (let at = 0; at < paths.length; at += BATCH) await removeBatch(bucket, paths.slice(at, at + BATCH), signal);
}

async function removeBatch(bucket: Bucket, paths: readonly string[], signal: AbortSignal): Promise<void> {
  const path = paths.length === 1 ? (paths[0] ?? '') : '';
  await bucket.ask({ path, doing: 'remove it', signal }, async (client, options) => {
    const { Bucket } = bucket.at('');
    const Objects = paths.map((each) => ({ Key: bucket.at(each).Key }));
    const command = withContentMd5(new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects } }));
    const [refused] = (await client.send(command, options)).Errors ?? [];
    if (refused !== undefined) throw refusal(bucket, refused);
  });
}

function refusal(bucket: Bucket, { Key = '', Code = 'an error without a name' }: S3Error): UpdateRepositoryError {
  const name = bucket.nameOf(bucket.pathOf(Key));
  const code = Code === 'InternalError' || Code === 'SlowDown' ? 'NETWORK' : 'STORAGE';
  return new UpdateRepositoryError(code, `${name}: cannot remove it: expected success, found ${Code}`, {
    data: { path: name, s3Error: Code },
  });
}

/** The library knows only newer checksums for this request, which not every server checks. */
function withContentMd5(command: DeleteObjectsCommand): DeleteObjectsCommand {
  command.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (isXmlRequest(request)) request.headers['content-md5'] = md5Of(Buffer.from(request.body)).toString('base64');
      return await next(args);
    },
    { step: 'build', priority: 'low', name: 'contentMd5' },
  );
  return command;
}

function isXmlRequest(request: unknown): request is { headers: Record<string, string>; body: string | Uint8Array } {
  if (typeof request !== 'object' || request === null || !('headers' in request) || !('body' in request)) return false;
  return typeof request.body === 'string' || request.body instanceof Uint8Array;
}
