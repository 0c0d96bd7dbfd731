// A server that takes PUT, GET, HEAD and DELETE and gives directories as JSON, as nginx does; of WebDAV it has MOVE at most.
// It replaces an object when all of the new one has come, or writes into it as it comes (`inPlace`). It heeds
// the conditions of PUT where it is asked to, at the instant at which an object is replaced. With `halfMs` readers get half
// of an object for so long while it is replaced, as they do where a disk is slow.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * @typedef {{ bytes: Buffer, etag: string, lastModified: string }} Kept
 * @param {{ conditions: boolean, checksEarly?: boolean, inPlace?: boolean, move?: boolean, halfMs?: number }} powers `checksEarly` heeds them when a request begins, as Apache does
 */
export async function startPlainPut({ conditions, checksEarly = false, inPlace = false, move = false, halfMs = 0 }) {
  /** @type {Map<string, Kept>} */
  const objects = new Map();
  let writes = 0;
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    /** @param {number} status @param {Record<string, string | number>} headers @param {Buffer} [body] */
    const answer = (status, headers = {}, body = Buffer.alloc(0)) => {
      response.writeHead(status, { 'content-length': body.length, ...headers });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const there = objects.get(path);
    if (request.method === 'PUT') {
      const heeded = !checksEarly || holds(request.headers, there);
      const bytes = await bodyOf(request, inPlace ? (part) => objects.set(path, kept(part)) : undefined);
      if (bytes === null) return;
      const before = objects.get(path);
      if (conditions && !(checksEarly ? heeded : holds(request.headers, before))) return answer(412);
      if (halfMs > 0) {
        objects.set(path, kept(bytes.subarray(0, bytes.length / 2)));
        await wait(halfMs);
      }
      const etag = conditions ? `"${++writes}-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"` : '';
      objects.set(path, kept(bytes, etag));
      return answer(before === undefined ? 201 : 204, conditions ? { etag } : {});
    }
    if (request.method === 'MOVE' && move) {
      const target = decodeURIComponent(new URL(String(request.headers.destination)).pathname).slice(1);
      if (there === undefined || target.length > 255) return answer(409);
      objects.set(target, there);
      objects.delete(path);
      return answer(204);
    }
    if (request.method === 'DELETE') return answer(objects.delete(path) ? 204 : 404);
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405);
    if (path === '' || path.endsWith('/')) {
      const entries = listing(objects, path, conditions);
      if (path !== '' && entries.length === 0) return answer(404);
      return answer(200, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(entries)));
    }
    if (there === undefined) return answer(404);
    const { bytes, etag, lastModified } = there;
    answer(200, { 'last-modified': lastModified, ...(etag === '' ? {} : { etag }) }, bytes);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port, found none');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${address.port}`, objects, stop };
}

/** @param {Buffer} bytes @param {string} etag @returns {Kept} */
function kept(bytes, etag = '') {
  return { bytes, etag, lastModified: new Date().toUTCString() };
}

/**
 * Null where the sender left before its end.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {(part: Buffer) => void} onPart
 */
async function bodyOf(request, onPart = () => undefined) {
  const pieces = [];
  try {
    for await (const piece of request) {
      pieces.push(piece);
      onPart(Buffer.concat(pieces));
    }
  } catch {
    return null;
  }
  return Buffer.concat(pieces);
}

/** @param {import('node:http').IncomingHttpHeaders} headers @param {Kept | undefined} before */
function holds(headers, before) {
  if (headers['if-none-match'] === '*' && before !== undefined) return false;
  return headers['if-match'] === undefined || headers['if-match'] === before?.etag;
}

/** What is right below a directory. @param {Map<string, Kept>} objects @param {string} directory @param {boolean} etags */
function listing(objects, directory, etags) {
  const entries = new Map();
  for (const [path, { bytes, etag, lastModified }] of objects) {
    if (!path.startsWith(directory)) continue;
    const [name = '', ...rest] = path.slice(directory.length).split('/');
    if (name.startsWith('.')) continue;
    const mtime = lastModified;
    entries.set(
      name,
      rest.length > 0
        ? { name, type: 'directory', mtime }
        : { name, type: 'file', mtime, size: bytes.length, ...(etags ? { etag } : {}) },
    );
  }
  return [...entries.values()];
}
