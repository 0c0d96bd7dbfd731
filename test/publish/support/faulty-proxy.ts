import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { listening } from '../../support/listening.js';

/** What may happen to a request on its way, or to its answer. What is stored is never said to be stored when it is not. */
export const FAULTS = [
  'status-500',
  'status-404',
  'redirect',
  'reset',
  'reset-after',
  'cut-body',
  'short-body',
  'garbage',
  'wrong-length',
  'endless',
] as const;
export type HttpFault = (typeof FAULTS)[number];

export interface FaultyProxy {
  readonly url: string;
  /** What happens to the n-th request since this was set. */
  faultOf: (n: number) => HttpFault | null;
}

/** Stands between a client and a server until the running test is over. */
export async function startFaultyProxy(target: string, random: () => number): Promise<FaultyProxy> {
  let faultOf: FaultyProxy['faultOf'] = () => null;
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    const fault = faultOf(requests++);
    for (const stream of [incoming, outgoing]) stream.on('error', () => undefined);
    if (fault === 'reset') incoming.socket.destroy();
    else if (fault === 'status-500' || fault === 'status-404') refuse(incoming, outgoing, Number(fault.slice(-3)));
    else if (fault === 'redirect') refuse(incoming, outgoing, 302, { location: 'http://127.0.0.1:9/elsewhere' });
    else forward(target, incoming, outgoing, fault, random);
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${port}`,
    get faultOf() {
      return faultOf;
    },
    set faultOf(next) {
      requests = 0;
      faultOf = next;
    },
  };
}

function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): void {
  incoming.resume();
  incoming.on('end', () => outgoing.writeHead(status, headers).end());
}

function forward(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: HttpFault | null,
  random: () => number,
): void {
  const { method, url, headers } = incoming;
  const forwarded = request(`${target}${url}`, { method, headers }, async (answer) => {
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    const { connection: _, 'transfer-encoding': _chunked, ...kept } = answer.headers;
    const status = answer.statusCode ?? 502;
    const isRead = ['GET', 'HEAD', 'PROPFIND', 'LOCK'].includes(method ?? '');
    // Node takes the body of an answer that has none without ever asking to wait.
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
    const possible = fault === 'endless' && !hasBody ? null : fault;
    disturb(outgoing, { status, headers: kept, body: Buffer.concat(pieces), isRead }, possible, random);
  });
  forwarded.on('error', () => outgoing.destroy());
  outgoing.on('close', () => forwarded.destroy());
  incoming.pipe(forwarded);
}

interface Whole {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly isRead: boolean;
}

function disturb(outgoing: ServerResponse, whole: Whole, fault: HttpFault | null, random: () => number): void {
  const { status, headers, body, isRead } = whole;
  const part = body.subarray(0, Math.floor(random() * body.length));
  switch (fault) {
    case 'reset-after':
      outgoing.destroy();
      return;
    case 'cut-body':
      outgoing.writeHead(status, { ...headers, 'content-length': body.length + 1 });
      outgoing.write(part, () => outgoing.destroy());
      return;
    case 'short-body':
      outgoing.writeHead(status, { ...headers, 'content-length': part.length }).end(part);
      return;
    case 'garbage': {
      const garbage = Buffer.from(
        Array.from({ length: Math.floor(random() * 3000) }, () => Math.floor(random() * 256)),
      );
      outgoing.writeHead(isRead ? 200 : status, { ...headers, 'content-length': garbage.length }).end(garbage);
      return;
    }
    case 'wrong-length':
      outgoing.writeHead(status, { ...headers, 'content-length': Math.floor(random() * 1e6) });
      outgoing.end(body);
      return;
    case 'endless':
      outgoing.writeHead(
        status,
        Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-length')),
      );
      pour(outgoing);
      return;
    default:
      outgoing.writeHead(status, headers).end(body);
  }
}

/** Until nobody wants more. */
function pour(outgoing: ServerResponse): void {
  while (!outgoing.destroyed && outgoing.write(Buffer.alloc(1 << 16, '<')));
  if (!outgoing.destroyed) outgoing.once('drain', () => pour(outgoing));
}
