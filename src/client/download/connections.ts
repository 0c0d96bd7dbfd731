import type { SecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { isLoopbackHost } from '../../net/http/address.js';
import { connectionTo } from '../../net/http/connection.js';

/** The connections to all servers, which are kept: those to this machine, and all others, through a proxy where there is one. */
export class Connections {
  readonly #secureContext: SecureContext | undefined;
  readonly #opened = new Map<boolean, Promise<Dispatcher>>();

  /** @param secureContext who vouches for servers, instead of all that Node trusts */
  constructor(secureContext: SecureContext | undefined) {
    this.#secureContext = secureContext;
  }

  async to(url: URL): Promise<Dispatcher> {
    const loopback = isLoopbackHost(url.hostname);
    let opened = this.#opened.get(loopback);
    if (opened === undefined) {
      opened = connectionTo({ loopback }, this.#secureContext);
      this.#opened.set(loopback, opened);
    }
    return await opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(async (opened) => await (await opened).destroy()));
  }
}
