import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { listening } from '../../support/listening.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { asText, openedMirrors, remoteFile } from '../support/opened-mirrors.js';

const { signal } = new AbortController();
const bytes = Buffer.from('a delta');
const files = new Map([
  ['index.json', Buffer.from('{}')],
  ['a.rdiff', bytes],
]);
const wanted = { path: 'index.json', maxBytes: 100 };
const random = () => 0.5;

describe.skipIf(!haveTools('openssl'))('a mirror over TLS', () => {
  const dir = temporaryDirectoryOfSuite();
  let certificates: Certificates;
  let caFile: string;

  beforeAll(() => {
    certificates = makeCertificates(dir);
    caFile = certificates.caFile;
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('is believed by the authority that the caller names', async () => {
    const { url } = await startFaultyServer({ files, random, certificates });
    const { mirrors } = await openedMirrors([url], { caFile });
    expect(await mirrors.text(wanted, asText, signal)).toEqual({ text: '{}', file: `${url}/${wanted.path}` });
  });

  test('is believed by the authorities of the environment, too, where the caller names others', async () => {
    const { url } = await startFaultyServer({ files, random, certificates });
    const others = mkdtempSync(join(dir, 'others-'));
    vi.stubEnv('NODE_EXTRA_CA_CERTS', caFile);
    const { mirrors } = await openedMirrors([url], { caFile: makeCertificates(others).caFile });
    expect(await mirrors.text(wanted, asText, signal)).toMatchObject({ text: '{}' });
  });

  test('is not believed where nobody vouches for it, and not asked twice', async () => {
    const { url, served } = await startFaultyServer({ files, random, certificates });
    const { mirrors, notes } = await openedMirrors([url]);
    const failure = await mirrors.text(wanted, asText, signal).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'STORAGE', message: expect.stringContaining('UNABLE_TO_VERIFY') });
    expect([served, notes]).toEqual([[], []]);
  });

  test('is not left for plain http by a redirect', async () => {
    const server = await startFaultyServer({ files, random, certificates });
    server.faultOf = () => 'redirect';
    const { mirrors } = await openedMirrors([server.url], { caFile });
    await expect(mirrors.text(wanted, asText, signal)).rejects.toMatchObject({
      code: 'STORAGE',
      message: `${server.url}/index.json: GET: expected a redirect to https without a password, found one to http://127.0.0.1:9`,
    });
  });

  test('is not left for plain http by the URLs of the metadata', async () => {
    const plain = await startFaultyServer({ files, random });
    const server = await startFaultyServer({ files: new Map(), random, certificates });
    const { mirrors } = await openedMirrors([server.url], { caFile });
    const reading = mirrors.bytes(remoteFile('a.rdiff', bytes, [`${plain.url}/a.rdiff`]), 0, { signal });
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(plain.served).toEqual([]);
  });

  test('is reached through the proxy of the environment', async () => {
    const { url } = await startFaultyServer({ files, random, certificates });
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      asked.push(request.url ?? '');
      // It alone knows where images.test is.
      const server = connect(Number(new URL(url).port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        server.pipe(client).pipe(server);
      });
      for (const socket of [server, client]) socket.on('error', () => [server, client].map((one) => one.destroy()));
    });
    const proxyPort = await listening(proxy);
    onTestFinished(() => void proxy.close());
    vi.stubEnv('https_proxy', `http://127.0.0.1:${proxyPort}`);
    vi.stubEnv('no_proxy', '');
    const { mirrors } = await openedMirrors(['https://images.test'], {
      caFile,
      attempts: 1,
    });
    expect(await mirrors.text(wanted, asText, signal)).toEqual({
      text: '{}',
      file: `https://images.test/${wanted.path}`,
    });
    expect(asked).toEqual(['images.test:443']);
  });

  test.each([
    ['none at all', undefined, 'NOT_FOUND', /expected certificates, found no such file/],
    ['no certificate', 'what?', 'CONFIG', /found none/],
    ['a broken one', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'CONFIG', /found a broken one/],
  ])('has no authority in a file with %s', async (name, content, code, message) => {
    const path = join(dir, name);
    if (content !== undefined) writeFileSync(path, content);
    await expect(openedMirrors(['https://x.test'], { caFile: path })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
