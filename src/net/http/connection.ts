import type { SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import type { HttpAddress } from './address.js';
import { endPausedParsers } from './paused-parsers.js';

const CONNECT_TIMEOUT_MS = 30_000;
/** Of a request that gets no further, and of a server that has all of an upload and still thinks about it. */
const ANSWER_TIMEOUT_MS = 300_000;
const STALL_TIMEOUT_MS = 60_000;

/**
 * What sends requests to a server: connections that are kept, through the proxy that the environment names (http_proxy,
 * https_proxy, no_proxy) unless the server is on this machine. Node itself trusts NODE_EXTRA_CA_CERTS.
 *
 * @param secureContext who vouches for a server or a proxy, instead of all that Node trusts
 */
export async function connectionTo(
  { loopback }: Pick<HttpAddress, 'loopback'>,
  secureContext?: SecureContext,
): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  endPausedParsers();
  const trust = secureContext === undefined ? {} : { secureContext };
  const options = {
    connect: { timeout: CONNECT_TIMEOUT_MS, ...trust },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: STALL_TIMEOUT_MS,
  };
  return loopback ? new Agent(options) : new EnvHttpProxyAgent({ ...options, requestTls: trust, proxyTls: trust });
}
