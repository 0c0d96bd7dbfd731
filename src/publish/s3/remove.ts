import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
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
  const { Errors } = await bucket.ask({ path, doing: 'remove it', signal }, (client, options) => {
    const { Bucket } = bucket.at('');
    const Objects = paths.map((each) => ({ Key: bucket.at(each).Key }));
    return client.send(withContentMd5(new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects } })), options);
  });
  const [refused] = Errors ?? [];
  if (refused === undefined) return;
  const name = bucket.nameOf(bucket.pathOf(refused.Key ?? ''));
  const found = refused.Code ?? 'an error without a name';
  const code = refused.Code === 'InternalError' || refused.Code === 'SlowDown' ? 'NETWORK' : 'STORAGE';
  throw new UpdateRepositoryError(code, `${name}: cannot remove it: expected success, found ${found}`, {
    data: { path: name, s3Error: found },
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
