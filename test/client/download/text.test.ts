import { createServer, type RequestListener } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMirrors } from '../../../src/client/download/mirrors.js';
import { UpdateRepositoryError } from '../../../src/errors.js';
import { parseJson } from '../../../src/metadata/json-node.js';
import { listening } from '../../support/listening.js';
import { asText, openedMirrors, WIDE_LIMITS } from '../support/opened-mirrors.js';

const { signal } = new AbortController();
const wanted = { path: 'meta/puavo-os.json', maxBytes: 1000 };

/** A server that counts what it is asked. */
async function serve(listener: RequestListener) {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    listener(request, response);
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, asked };
}

const saying = (status: number, text: string | Buffer = '', headers = {}) =>
  serve((_, response) => {
    response.writeHead(status, headers);
    response.end(text);
  });

test.each([404, 410, 403])(
  'a text that need not be there is not looked for behind a mirror that says %i',
  async (status) => {
    const [first, second] = [await saying(status), await saying(200, 'x')];
    const { mirrors } = await openedMirrors([first.url, second.url]);
    expect(await mirrors.textIfThere(wanted, asText, signal)).toBeNull();
    expect(second.asked).toEqual([]);
  },
);

test('a text that need not be there is asked of another mirror where one fails', async () => {
  const [first, second] = [await saying(503), await saying(200, 'x')];
  const { mirrors } = await openedMirrors([first.url, second.url]);
  expect(await mirrors.textIfThere(wanted, ({ length }) => length, signal)).toBe(1);
});

test('a text that is another one than it has to be is asked of the next mirror, and the first error is told', async () => {
  const servers = [await saying(200, 'bad'), await saying(200, 'worse'), await saying(200, 'good')];
  const verify = (text: string) => {
    if (text === 'good') return text;
    throw new UpdateRepositoryError('VERIFICATION', `found ${text}`, { data: { reason: text } });
  };
  const urls = servers.map(({ url }) => url);
  const all = await openedMirrors(urls);
  expect(await all.mirrors.text(wanted, verify, signal)).toBe('good');
  const { mirrors } = await openedMirrors(urls.slice(0, 2));
  await expect(mirrors.text(wanted, verify, signal)).rejects.toMatchObject({
    code: 'VERIFICATION',
    data: { reason: 'bad' },
  });
});

test('a text that is too long may be an error that rules its mirror out', async () => {
  const { url, asked } = await saying(200, 'x'.repeat(1001));
  const tooLong = (file: string) => new UpdateRepositoryError('VERIFICATION', `${file} is endless`);
  const { mirrors } = await openedMirrors([url]);
  await expect(mirrors.text({ ...wanted, tooLong }, asText, signal)).rejects.toMatchObject({
    message: `${url}/${wanted.path} is endless`,
  });
  expect(asked).toHaveLength(1);
});

test('a text comes from the first mirror that has it', async () => {
  const [first, second] = [await saying(404), await saying(200, '{"ä":1}')];
  const { mirrors } = await openedMirrors([`${first.url}/`, `${second.url}/pub/`]);
  expect(await mirrors.text(wanted, asText, signal)).toEqual({
    text: '{"ä":1}',
    file: `${second.url}/pub/meta/puavo-os.json`,
  });
  expect(second.asked).toEqual(['/pub/meta/puavo-os.json']);
  expect(mirrors.traffic.fetchedBytesOf(wanted.path)).toBe(8);
});

test.each([
  [
    'a text that is too long',
    () => saying(200, 'x'.repeat(1001)),
    'NETWORK',
    /expected at most 1000 bytes, found more/,
  ],
  ['other bytes', () => saying(200, Buffer.from([0xff])), 'NETWORK', /expected UTF-8 text, found other bytes/],
  ['packed bytes', () => saying(200, 'x', { 'content-encoding': 'br' }), 'NETWORK', /found Content-Encoding br/],
  ['an error', () => saying(503), 'NETWORK', /found status 503/],
  ['no such file', () => saying(410), 'NOT_FOUND', /found status 410/],
  ['no right', () => saying(401), 'STORAGE', /found status 401/],
  ['a redirect to a file', () => saying(302, '', { location: 'file:///etc/passwd' }), 'STORAGE', /one to file:/],
  ['a redirect with a password', () => saying(302, '', { location: 'http://a:b@x/' }), 'STORAGE', /without a password/],
  ['a redirect to nowhere', () => saying(302, '', { location: 'http://[/' }), 'STORAGE', /cannot be read/],
])('%s is told in one line', async (_, server, code, message) => {
  const { url } = await server();
  const { mirrors } = await openedMirrors([url], { attempts: 2 });
  const failure = await mirrors.text(wanted, asText, signal).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
  expect(String(failure)).not.toContain('\n');
});

describe('a page where JSON should be', () => {
  const page = () => saying(200, '<html>Please log in.</html>');
  const parse = (text: string, file: string) => parseJson(text, { file, code: 'FORMAT' }).value;

  test("is the next mirror's turn, and lets the first one rest", async () => {
    const [first, second] = [await page(), await saying(200, '{"a":1}')];
    const { mirrors, notes } = await openedMirrors([first.url, second.url]);
    expect(await mirrors.text(wanted, parse, signal)).toEqual({ a: 1 });
    expect(notes).toEqual([expect.stringMatching(/meta\/puavo-os\.json: expected JSON, found .*; going on with http/)]);
    expect(await mirrors.text(wanted, parse, signal)).toEqual({ a: 1 });
    expect([first.asked.length, second.asked.length]).toEqual([1, 2]);
  });

  test.each([
    ['a page, too', page, 'FORMAT'],
    ['no such file', () => saying(404), 'FORMAT'],
    ['no right', () => saying(403), 'FORMAT'],
    ['an error', () => saying(503), 'NETWORK'],
  ])('is told where the other mirror has %s', async (_, other, code) => {
    const [first, second] = [await page(), await other()];
    for (const urls of [
      [first.url, second.url],
      [second.url, first.url],
    ]) {
      const { mirrors } = await openedMirrors(urls, { attempts: 2 });
      const failure = await mirrors.text(wanted, parse, signal).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code, message: expect.stringMatching(/\/meta\/puavo-os\.json: expected JSON/) });
      if (code === 'FORMAT') expect(String(failure)).not.toContain(';');
    }
  });

  test('is asked for once where there is no other mirror', async () => {
    const { url, asked } = await page();
    const { mirrors } = await openedMirrors([url]);
    await expect(mirrors.text(wanted, parse, signal)).rejects.toMatchObject({ code: 'FORMAT' });
    expect(asked).toHaveLength(1);
  });
});

test('an endless text ends', async () => {
  const { url } = await serve((_, response) => {
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', pour);
    pour();
  });
  const { mirrors } = await openedMirrors([url], { attempts: 2 });
  await expect(mirrors.text(wanted, asText, signal)).rejects.toMatchObject({ code: 'NETWORK' });
  expect(mirrors.traffic.fetchedBytes).toBeLessThan(1 << 20);
});

test('all mirrors together have so long and no longer', async () => {
  const { url } = await saying(503);
  const limits = { ...WIDE_LIMITS, textTimeoutMs: 300 };
  const retry = { attempts: 1000, firstPauseMs: 10, onEvent: () => undefined };
  const { mirrors } = await openedMirrors([url], { limits, retry });
  const startedAt = performance.now();
  await expect(mirrors.text(wanted, asText, signal)).rejects.toMatchObject({
    code: 'NETWORK',
    message: 'meta/puavo-os.json: expected it within 0.3 s, found no mirror that has it',
  });
  expect(performance.now() - startedAt).toBeLessThan(20_000);
});

test('an abort is one, and no failure of the mirror', async () => {
  const { url } = await serve(() => undefined);
  const { mirrors } = await openedMirrors([url]);
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  await expect(mirrors.text(wanted, asText, stop.signal)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('Retry-After is heeded where no other mirror can be asked', async () => {
  let asked = 0;
  const { url } = await serve((_, response) => {
    response.writeHead(asked++ === 0 ? 503 : 200, { 'retry-after': '1' });
    response.end('{}');
  });
  const { mirrors, notes } = await openedMirrors([url]);
  const startedAt = performance.now();
  expect(await mirrors.text(wanted, asText, signal)).toMatchObject({ text: '{}' });
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(notes).toEqual([expect.stringMatching(/status 503; trying again in 1\.0 s$/)]);
});

test.each([
  [[], /expected the URL of a mirror, found none/],
  [['ftp://x.test/'], /^ftp:\/\/x\.test\/: expected an http or https URL, found ftp:$/],
  [['what'], /one that cannot be read/],
  [['https://me:secret@x.test/'], /^x\.test: expected an address without user name and password$/],
  [['https://x.test/?a'], /without query/],
])('%j are no roots', async (roots, message) => {
  const retry = { attempts: 1, firstPauseMs: 1, onEvent: () => undefined };
  const failure = await openMirrors({ roots, retry }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) });
  expect(JSON.stringify(failure)).not.toContain('secret');
});
