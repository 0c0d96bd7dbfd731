import { S3Client } from '@aws-sdk/client-s3';
import { connectQuietly } from '../aws-client.js';
import type { S3Options } from './options.js';

/** A client that is quiet, makes each request once, and sends the checksums that we give it, no others. */
export async function connect({ endpoint, pathStyle }: S3Options): Promise<S3Client> {
  return await connectQuietly(
    (settings) =>
      new S3Client({
        ...settings,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(pathStyle === undefined ? {} : { forcePathStyle: pathStyle }),
        // Requests are made again where it is known what that means: see Bucket.
        maxAttempts: 1,
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      }),
  );
}

/** Tells where the last request went, whatever the configuration says: scheme, host and port. Once for each client. */
export function serverOf(client: S3Client): () => string {
  let server = '';
  client.middlewareStack.add(
    (next) => async (args) => {
      server = serverIn(args.request) ?? server;
      return await next(args);
    },
    { step: 'finalizeRequest', name: 'serverOf' },
  );
  return () => server;
}

function serverIn(request: unknown): string | null {
  if (typeof request !== 'object' || request === null || !('protocol' in request) || !('hostname' in request)) {
    return null;
  }
  const port = 'port' in request && request.port !== undefined ? `:${request.port}` : '';
  return `${request.protocol}//${request.hostname}${port}`;
}
