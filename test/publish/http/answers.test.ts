import { createServer, type RequestListener } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { textObject } from '../../../src/publish/release.js';
import { startPlainPut } from '../../peers/plain-put.mjs';
import { listening } from '../../support/listening.js';
import { openedHttp } from '../support/opened-http.js';

const call = { signal: new AbortController().signal };
const object = { ...textObject('a.img', 'content of a', 'text/plain'), cacheControl: 'no-cache' };

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${port}`;
}

/** A storage that is opened well, and whose server says to every later request what `answer` does. */
async function thenAnswering(answer: RequestListener) {
  const { url: plain, stop } = await startPlainPut({ conditions: false });
  onTestFinished(stop);
  let opened = false;
  const url = await serve(async (request, response) => {
    if (opened) return answer(request, response);
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const { method = '' } = request;
    const got = await fetch(`${plain}${request.url}`, {
      method,
      ...(method === 'PUT' ? { body: Buffer.concat(pieces) } : {}),
    });
    const headers = Object.fromEntries(
      [...got.headers].filter(([name]) => !/connection|keep-alive|encoding/.test(name)),
    );
    response.writeHead(got.status, headers);
    response.end(Buffer.from(await got.arrayBuffer()));
  });
  const storage = await openedHttp(url);
  opened = true;
  onTestFinished(() => storage.close());
  return { storage, url };
}

test.each([
  [401, 'STORAGE', /netrc/],
  [403, 'STORAGE', /allowed to write/],
  [404, 'STORAGE', undefined],
  [413, 'STORAGE', /client_max_body_size/],
  [423, 'LOCKED', /lock/],
  [429, 'NETWORK', undefined],
  [500, 'NETWORK', undefined],
  [501, 'STORAGE', /WebDAV/],
  [503, 'NETWORK', undefined],
  [507, 'NO_SPACE', /free some space/],
])('status %i on PUT is %s', async (status, code, hint) => {
  const { storage, url } = await thenAnswering((request, response) => {
    request.resume();
    response.statusCode = request.method === 'PUT' ? status : 404;
    response.end();
  });
  const failure = await storage.put(object, call).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, message: `${url}/a.img: PUT: expected success, found status ${status}` });
  if (hint !== undefined) expect(failure).toHaveProperty('hint', expect.stringMatching(hint));
});

test('a redirect is no answer, and its password is not told', async () => {
  const { storage } = await thenAnswering((_, response) => {
    response.writeHead(301, { location: 'https://me:secret@other.example/a.img?token=secret' });
    response.end();
  });
  const failure = await storage.stat('a.img', call).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'STORAGE', hint: expect.stringContaining('https://other.example/a.img') });
  expect(JSON.stringify(failure)).not.toContain('secret');
});

test('nobody is asked to pack bytes', async () => {
  const accepted: unknown[] = [];
  const { storage } = await thenAnswering((request, response) => {
    accepted.push(request.headers['accept-encoding']);
    response.end('plain');
  });
  expect(await storage.read('a.img', call)).not.toBeNull();
  expect(accepted).toEqual(['identity']);
});

test('bytes that are packed on the way are refused', async () => {
  const { storage } = await thenAnswering((_, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.end('packed');
  });
  await expect(storage.read('a.img', call)).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining('Content-Encoding gzip'),
  });
});

test('an answer that breaks off is a failure of the network', async () => {
  const { storage } = await thenAnswering((_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('a part of it');
    setTimeout(() => response.destroy(), 50);
  });
  const pieces = await storage.read('a.img', call);
  const readAll = async () => {
    for await (const piece of pieces ?? []) expect(piece.length).toBeGreaterThan(0);
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a list that is none is refused', async () => {
  const { storage } = await thenAnswering((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<h1>Index of /</h1>');
  });
  const readAll = async () => {
    for await (const found of storage.list('', call)) expect(found).toBeUndefined();
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'STORAGE', message: expect.stringContaining('as JSON') });
});

test('a request that gets no answer ends when it is told to', async () => {
  const stop = new AbortController();
  const { storage } = await thenAnswering(() => setTimeout(() => stop.abort(), 50));
  await expect(storage.stat('a.img', { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('a server that is not there is a failure of the network', async () => {
  await expect(openedHttp('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a server that lists nothing is refused when it is opened', async () => {
  const url = await serve((request, response) => {
    response.writeHead(request.method === 'GET' ? 200 : 405, { 'content-type': 'text/html' });
    response.end();
  });
  await expect(openedHttp(url)).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining('autoindex_format json'),
  });
});

test('whoever stops to read early ends the transfer, and nothing else', async () => {
  let ended = false;
  const { storage } = await thenAnswering((request, response) => {
    request.socket.on('close', () => {
      ended = true;
    });
    response.writeHead(200, { 'content-length': 1e9 });
    response.write(Buffer.alloc(1e6));
  });
  for await (const piece of (await storage.read('a.img', call)) ?? []) {
    expect(piece.length).toBeGreaterThan(0);
    break;
  }
  await vi.waitFor(() => expect(ended).toBe(true), { timeout: 30_000 });
});
