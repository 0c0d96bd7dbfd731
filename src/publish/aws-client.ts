/** Says that Node 20 will not be served for ever: for those who choose Node's version, not for an operator's terminal. */
const WARNING_SWITCH = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** Servers of one's own take any; Amazon's say which one a bucket is in. */
const FALLBACK_REGION = 'us-east-1';

const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** What {@link connectQuietly} needs of a client of the AWS library. */
interface Client {
  readonly config: { region(): Promise<string> };
  destroy(): void;
}

/** What every client is made with: it prints nothing, and waits for nothing without a limit. */
function commonSettings() {
  const silent = () => undefined;
  return {
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
  };
}

/** A client that is quiet; of a region of no account where none is configured. */
export async function connectQuietly<T extends Client>(
  make: (settings: ReturnType<typeof commonSettings> & { readonly region?: string }) => T,
): Promise<T> {
  const client = quietly(() => make(commonSettings()));
  if (await hasRegion(client)) return client;
  client.destroy();
  return quietly(() => make({ ...commonSettings(), region: FALLBACK_REGION }));
}

/** The warning is given once, by the first client that is made. */
function quietly<T>(make: () => T): T {
  const before = process.env[WARNING_SWITCH];
  process.env[WARNING_SWITCH] = 'true';
  try {
    return make();
  } finally {
    if (before === undefined) delete process.env[WARNING_SWITCH];
    else process.env[WARNING_SWITCH] = before;
  }
}

async function hasRegion(client: Client): Promise<boolean> {
  try {
    return (await client.config.region()) !== '';
  } catch (error) {
    if (error instanceof Error && error.message === 'Region is missing') return false;
    throw error;
  }
}
