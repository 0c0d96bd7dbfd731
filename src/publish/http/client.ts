import type { Dispatcher } from 'undici';
import { type HttpAddress, urlOf } from '../../net/http/address.js';
import { nonsense, type Request, unanswered } from '../../net/http/failures.js';
import type { StorageCall } from '../storage.js';
import { refused } from './failures.js';

/** What goes along with a request. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Dispatcher.DispatchOptions['body'];
}

/** An answer whose body has been read or dropped. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
}

/** What a client needs of undici, which is loaded when a storage is opened. */
export interface Connection {
  readonly dispatcher: Dispatcher;
  /** The Authorization header. */
  readonly authorization: string | null;
}

type Open = Dispatcher.ResponseData;

/** Sends requests to the objects of one storage; every error names the object. */
export class HttpClient {
  readonly address: HttpAddress;
  readonly #connection: Connection;

  constructor(address: HttpAddress, connection: Connection) {
    this.address = address;
    this.#connection = connection;
  }

  /** Sends a request and drops the body of the answer, whatever its status. Throws for the connection only. */
  async send(method: string, path: string, call: StorageCall, sent: Sent = {}): Promise<Answer> {
    const request = this.about(method, path);
    try {
      const open = await this.#open(method, path, call, sent);
      await open.body.dump({ limit: 1 << 20, signal: call.signal });
      return { status: open.statusCode, header: (name) => headerOf(open, name) };
    } catch (error) {
      throw unanswered(request, error, call.signal);
    }
  }

  /** As `send`, for an answer that has to have one of `statuses`. */
  async demand(
    method: string,
    path: string,
    statuses: readonly number[],
    call: StorageCall,
    sent?: Sent,
  ): Promise<Answer> {
    const answer = await this.send(method, path, call, sent);
    if (statuses.includes(answer.status)) return answer;
    throw refused(this.about(method, path), answer.status, answer.header('location'));
  }

  /** Gives an object another name, in place of what has it (RFC 4918 §9.9). */
  async move(path: string, target: string, call: StorageCall): Promise<Answer> {
    const destination = urlOf(this.address, target).href;
    return await this.send('MOVE', path, call, { headers: { destination, overwrite: 'T' } });
  }

  /** Reads an answer of at most `maxBytes` as text, with its status; throws STORAGE where it is larger or no UTF-8. */
  async text(
    method: string,
    path: string,
    maxBytes: number,
    call: StorageCall,
    sent: Sent = {},
  ): Promise<Answer & { readonly text: string }> {
    const request = this.about(method, path);
    try {
      const open = await this.#open(method, path, call, sent);
      const pieces: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const piece of open.body) {
        sizeBytes += piece.length;
        if (sizeBytes > maxBytes) throw nonsense(request, `an answer of at most ${maxBytes} bytes`, 'a larger one');
        pieces.push(piece);
      }
      const text = decodeText(Buffer.concat(pieces), request);
      return { status: open.statusCode, header: (name) => headerOf(open, name), text };
    } catch (error) {
      throw unanswered(request, error, call.signal);
    }
  }

  /** The bytes of an object; null where there is none. */
  async bytes(path: string, call: StorageCall): Promise<AsyncIterable<Uint8Array> | null> {
    const request = this.about('GET', path);
    try {
      const open = await this.#open('GET', path, call, {});
      if (open.statusCode === 200) {
        const encoding = headerOf(open, 'content-encoding') ?? 'identity';
        if (encoding === 'identity') return piecesOf(open, request, call);
        await open.body.dump({ limit: 1, signal: call.signal });
        throw nonsense(request, 'the bytes as they are', `Content-Encoding ${encoding}`);
      }
      await open.body.dump({ limit: 1 << 20, signal: call.signal });
      if (isMissing(open.statusCode)) return null;
      throw refused(request, open.statusCode, headerOf(open, 'location'));
    } catch (error) {
      throw unanswered(request, error, call.signal);
    }
  }

  /** For errors about what was asked of an object. */
  about(method: string, path: string): Request {
    return { method, name: `${this.address.name}/${path}` };
  }

  async close(): Promise<void> {
    await this.#connection.dispatcher.destroy();
  }

  async #open(method: string, path: string, { signal }: StorageCall, { headers, body }: Sent): Promise<Open> {
    const { authorization, dispatcher } = this.#connection;
    const url = urlOf(this.address, path);
    // Not undici's own `request`: that one is loaded with the library, and the dispatcher has it too.
    return await dispatcher.request({
      origin: url.origin,
      path: url.pathname,
      method,
      signal,
      headers: {
        'accept-encoding': 'identity',
        'user-agent': 'update-repository',
        ...(authorization === null ? {} : { authorization }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** Whether a status says that there is no such object. */
export function isMissing(status: number): boolean {
  return status === 404 || status === 410;
}

async function* piecesOf({ body }: Open, request: Request, { signal }: StorageCall): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw unanswered(request, error, signal);
  }
}

function headerOf({ headers }: Open, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function decodeText(bytes: Uint8Array, request: Request): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw nonsense(request, 'UTF-8 text', 'other bytes');
  }
}
