import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { onTestFinished } from 'vitest';
import { listening } from '../../support/listening.js';

/** How a web server is wrong about a path. */
export type WebFault =
  | 'redirect'
  | 'no-ranges'
  | 'compressed'
  | 'missing'
  | 'broken'
  | 'cut'
  | 'flipped'
  | 'endless'
  | 'other-length'
  | 'no-end'
  | 'other-range'
  | 'no-cache-rule'
  | 'never-kept'
  | null;

/** Serves a directory on loopback until the test is over; `faultOf` says what is wrong with a path. Returns the URL. */
export async function startWebServer(root: string, faultOf: (path: string) => WebFault = () => null): Promise<string> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1));
    serve(join(root, path), faultOf(path), request, response);
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

function serve(file: string, fault: WebFault, request: IncomingMessage, response: ServerResponse): unknown {
  const isHead = request.method === 'HEAD';
  if (fault === 'missing' || !existsSync(file)) return end(response, 404);
  if (fault === 'redirect') return end(response, 302, { location: '/elsewhere' });
  if (fault === 'broken') return end(response, 503);
  const size = statSync(file).size;
  const range = fault === 'no-ranges' ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const headers: Record<string, string> = {
    'cache-control': /\.(img|rdiff)$/.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-length': String(size),
  };
  if (fault === 'no-cache-rule') delete headers['cache-control'];
  if (fault === 'never-kept') headers['cache-control'] = 'no-store';
  if (fault === 'other-length' && isHead) headers['content-length'] = String(size + 1);
  if (fault === 'compressed' && (request.headers['accept-encoding'] ?? '').includes('gzip')) {
    return end(response, 200, { ...headers, 'content-encoding': 'gzip' }, isHead ? undefined : 'x'.repeat(size));
  }
  if (range !== null) {
    const [start, last] = [Number(range[1]), range[2] === '' ? size - 1 : Number(range[2])];
    if (start >= size && fault === 'no-end') return end(response, 200, headers, 'x'.repeat(size));
    if (start >= size) return end(response, 416, { 'content-range': `bytes */${size}` });
    const partial = {
      ...headers,
      'content-length': String(last - start + 1),
      'content-range': `bytes ${start}-${last}/${fault === 'other-range' ? '*' : size}`,
    };
    response.writeHead(206, partial);
    return createReadStream(file, { start, end: last }).pipe(response);
  }
  if (isHead) return end(response, 200, headers);
  response.writeHead(200, fault === 'endless' ? { 'cache-control': 'no-cache' } : headers);
  return sendBody(file, size, fault, response);
}

function sendBody(file: string, size: number, fault: WebFault, response: ServerResponse): unknown {
  switch (fault) {
    case 'cut':
      return createReadStream(file, { end: Math.floor(size / 2) })
        .on('data', (piece) => response.write(piece))
        .on('end', () => response.destroy());
    case 'flipped':
      return createReadStream(file).pipe(flippingBits()).pipe(response);
    case 'endless':
      return Readable.from(zeros()).pipe(response);
    default:
      return createReadStream(file).pipe(response);
  }
}

function flippingBits(): Transform {
  return new Transform({
    transform(piece: Buffer, _, done) {
      piece[0]! ^= 1;
      done(null, piece);
    },
  });
}

function* zeros(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65536);
}

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body?: string,
): ServerResponse {
  response.writeHead(status, headers);
  return response.end(body);
}
