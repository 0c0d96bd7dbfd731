import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { listening } from '../../support/listening.js';
import type { Certificates } from './certificates.js';

/** What may happen to a request or its answer. */
export const DOWNLOAD_FAULTS = [
  'status-500',
  'status-408',
  'status-429',
  'status-404',
  'status-403',
  'reset',
  'cut-body',
  'short-chunked',
  'wrong-bytes',
  'half-range',
  'range-ignored',
  'trickle',
  'stall',
  'no-answer',
  'endless',
  'long-length',
  'short-length',
  'wrong-content-range',
  'wrong-total',
  'not-satisfiable',
  'redirect',
  'redirect-loop',
  'redirect-to-file',
  'gzip',
  'changed',
  'garbage',
] as const;
export type DownloadFault = (typeof DOWNLOAD_FAULTS)[number];

/** A request as the server saw it, and what it sent of a body, in bytes. */
export interface Served {
  readonly url: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly fault: DownloadFault | null;
  status: number;
  sentBytes: number;
}

export interface FaultyServer {
  readonly url: string;
  /** The files by their paths, without a slash at the start; their bytes may be exchanged. */
  readonly files: Map<string, Buffer>;
  readonly served: Served[];
  /** What happens to the n-th request since this was set. */
  faultOf: (n: number) => DownloadFault | null;
  stop(): void;
}

export interface FaultyServerOptions {
  readonly files: ReadonlyMap<string, Buffer>;
  /** Numbers of [0, 1). */
  readonly random: () => number;
  /** Speaks TLS with these. */
  readonly certificates?: Certificates;
  /** Whether files have an ETag that changes with their bytes. */
  readonly etags?: boolean;
}

/** Serves files with ranges as nginx does, but for what `faultOf` says, until the running test is over. */
export async function startFaultyServer(options: FaultyServerOptions): Promise<FaultyServer> {
  const { certificates } = options;
  const files = new Map(options.files);
  const served: Served[] = [];
  let faultOf: FaultyServer['faultOf'] = () => null;
  let requests = 0;
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const fault = faultOf(requests++);
    for (const stream of [incoming, outgoing]) stream.on('error', () => undefined);
    const { range = null, 'if-range': ifRange } = incoming.headers;
    const entry: Served = {
      url: incoming.url ?? '',
      range,
      ifRange: typeof ifRange === 'string' ? ifRange : null,
      fault,
      status: 0,
      sentBytes: 0,
    };
    served.push(entry);
    void new Exchange(incoming, outgoing, files, entry, options).answer();
  };
  const tls = certificates && {
    key: readFileSync(certificates.keyFile),
    cert: readFileSync(certificates.certificateFile),
  };
  const server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => socket.on('error', () => undefined));
  }
  const port = await listening(server);
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(stop);
  return {
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    files,
    served,
    get faultOf() {
      return faultOf;
    },
    set faultOf(next) {
      requests = 0;
      faultOf = next;
    },
    stop,
  };
}

/** The ETag of a file with these bytes. */
export function etagOf(bytes: Buffer): string {
  return `"${bytes.length.toString(16)}-${bytes.subarray(0, 8).toString('hex')}"`;
}

class Exchange {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #files: ReadonlyMap<string, Buffer>;
  readonly #entry: Served;
  readonly #options: FaultyServerOptions;

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    files: ReadonlyMap<string, Buffer>,
    entry: Served,
    options: FaultyServerOptions,
  ) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#files = files;
    this.#entry = entry;
    this.#options = options;
  }

  async answer(): Promise<void> {
    const { url, fault } = this.#entry;
    const bytes = this.#files.get(decodeURI(url).replace(/^\/|\?.*$/g, ''));
    if (bytes === undefined) return this.#refuse(404);
    if (fault?.startsWith('status-') === true) return this.#refuse(Number(fault.slice(-3)));
    switch (fault) {
      case 'reset':
        this.#reset();
        return;
      case 'no-answer':
        return;
      case 'garbage':
        this.#incoming.socket.end('HTTP/1.1 what\r\n\r\n');
        return;
      case 'redirect':
        return this.#refuse(302, { location: 'http://127.0.0.1:9/elsewhere' });
      case 'redirect-loop':
        return this.#refuse(302, { location: url });
      case 'redirect-to-file':
        return this.#refuse(307, { location: `${url}?again` });
      case 'not-satisfiable':
        return this.#refuse(416, { 'content-range': `bytes */${bytes.length - 1}` });
      default:
        await this.#send(fault === 'changed' ? Buffer.from(bytes).fill(0xee, 0, 8) : bytes);
    }
  }

  #reset(): void {
    const { socket } = this.#incoming;
    // Node has no reset for TLS.
    if (socket instanceof TLSSocket) socket.destroy();
    else socket.resetAndDestroy();
  }

  #refuse(status: number, headers: Record<string, string> = {}): void {
    this.#entry.status = status;
    this.#outgoing.writeHead(status, { ...(status === 429 ? { 'retry-after': '0' } : {}), ...headers });
    this.#outgoing.end('no\n');
  }

  async #send(bytes: Buffer): Promise<void> {
    const { fault, range, ifRange } = this.#entry;
    const { etags = true } = this.#options;
    const etag = etagOf(bytes);
    const [, first] = /^bytes=(\d+)-/.exec(range ?? '') ?? [];
    const isRanged = first !== undefined && fault !== 'range-ignored' && (ifRange === null || ifRange === etag);
    const from = isRanged ? Number(first) : 0;
    const to = isRanged && fault === 'half-range' ? from + Math.ceil((bytes.length - from) / 2) : bytes.length;
    const body = Buffer.from(bytes.subarray(from, to));
    if (fault === 'wrong-bytes') body[Math.floor(this.#random() * body.length)]! ^= 0x55;
    const headers: Record<string, string> = etags ? { etag } : {};
    if (isRanged) headers['content-range'] = this.#contentRange(from, to, bytes.length);
    this.#entry.status = isRanged ? 206 : 200;
    await this.#sendBody(headers, body);
  }

  #contentRange(from: number, to: number, total: number): string {
    const { fault } = this.#entry;
    if (fault === 'wrong-content-range') return `bytes ${Math.max(0, from - 1)}-${to - 1}/${total}`;
    return `bytes ${from}-${to - 1}/${fault === 'wrong-total' ? total + 1 : total}`;
  }

  async #sendBody(headers: Record<string, string>, body: Buffer): Promise<void> {
    const { fault, status } = this.#entry;
    const sized = { ...headers, 'content-length': String(body.length) };
    const half = body.subarray(0, Math.floor(this.#random() * body.length));
    switch (fault) {
      case 'cut-body':
        this.#outgoing.writeHead(status, sized);
        await this.#write(half);
        this.#incoming.socket.destroy();
        return;
      case 'short-chunked':
        this.#outgoing.writeHead(status, headers);
        return await this.#end(half);
      case 'long-length':
        this.#outgoing.writeHead(status, { ...headers, 'content-length': String(body.length + 10) });
        await this.#write(body);
        this.#incoming.socket.destroy();
        return;
      case 'short-length':
        this.#outgoing.writeHead(status, { ...headers, 'content-length': String(Math.max(0, body.length - 10)) });
        return await this.#end(body.subarray(0, Math.max(0, body.length - 10)));
      case 'endless':
        this.#outgoing.writeHead(status, headers);
        return await this.#writeForEver(body, body.length, 0);
      case 'trickle':
        this.#outgoing.writeHead(status, sized);
        return await this.#writeForEver(body, 1, 20);
      case 'stall':
        this.#outgoing.writeHead(status, sized);
        await this.#write(half);
        return;
      case 'gzip':
        this.#outgoing.writeHead(status, { ...headers, 'content-encoding': 'gzip' });
        return await this.#end(gzipSync(body));
      default:
        this.#outgoing.writeHead(status, sized);
        await this.#end(body);
    }
  }

  /** Over and over, until the client has enough of it. */
  async #writeForEver(bytes: Buffer, pieceBytes: number, pauseMs: number): Promise<void> {
    for (let at = 0; !this.#outgoing.destroyed; at = (at + pieceBytes) % bytes.length) {
      await this.#write(bytes.subarray(at, at + pieceBytes));
      await sleep(pauseMs);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#entry.sentBytes += bytes.length;
    await new Promise<void>((resolve) => {
      this.#outgoing.once('close', resolve);
      this.#outgoing.write(bytes, () => {
        this.#outgoing.off('close', resolve);
        resolve();
      });
    });
  }

  async #end(bytes: Buffer): Promise<void> {
    await this.#write(bytes);
    this.#outgoing.end();
  }

  #random(): number {
    return this.#options.random();
  }
}
