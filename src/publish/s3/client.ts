import { S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from './options.js';

/** Says that Node 20 will not be served for ever: for those who choose Node's version, not for an operator's terminal. */
const WARNING_SWITCH = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** Servers of one's own take any; Amazon's say which one a bucket is in. */
const FALLBACK_REGION = 'us-east-1';

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** A client that is quiet, waits for nothing without a limit, and sends the checksums that we give it, no others. */
export async function connect(options: S3Options): Promise<S3Client> {
  const client = quietly(() => new S3Client(settings(options)));
  if (await hasRegion(client)) return client;
  client.destroy();
  return quietly(() => new S3Client({ ...settings(options), region: FALLBACK_REGION }));
}

function settings({ endpoint, pathStyle }: S3Options) {
  const silent = () => undefined;
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(pathStyle === undefined ? {} : { forcePathStyle: pathStyle }),
    // Requests are made again where it is known what that means: see Bucket.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED' as const,
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  };
}

/** The warning is given once, by the first client that is made. */
function quietly(make: () => S3Client): S3Client {
  const before = process.env[WARNING_SWITCH];
  process.env[WARNING_SWITCH] = 'true';
  try {
    return make();
  } finally {
    if (before === undefined) delete process.env[WARNING_SWITCH];
    else process.env[WARNING_SWITCH] = before;
  }
}

async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    return (await client.config.region()) !== '';
  } catch (error) {
    if (error instanceof Error && error.message === 'Region is missing') return false;
    throw error;
  }
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
