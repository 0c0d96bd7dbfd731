import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../cli/run.js';
import { startNginx } from '../../peers/nginx.mjs';
import { freePort } from '../../peers/server-process.mjs';
import { dailyStamps } from '../../support/image-name.js';
import { listening } from '../../support/listening.js';
import { makeRawImages } from '../../support/raw-images.js';
import { servedTree } from '../../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';

const run = promisify(execFile);

describe.skipIf(!haveTools('nginx', 'openssl'))('a web server that wants a password, over TLS', () => {
  const dir = temporaryDirectoryOfSuite();
  const mirror = join(dir, 'mirror');
  const root = join(dir, 'www');
  const certificate = join(dir, 'certificate.pem');
  const netrc = join(dir, 'netrc');
  const nobody = { HOME: dir, NETRC: join(dir, 'none') };
  let port = 0;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const images = join(dir, 'images');
    const [stem, arch, seed] = ['puavo-os-test-bookworm', 'amd64', 'over TLS'];
    await makeRawImages({ dir: images, stem, arch, stamps: dailyStamps(2), seed, sizeBytes: 200_000 });
    const built = await runCli(['--base-url', 'https://images.test', images, mirror]);
    expect(built.code).toBe(0);
    const key = join(dir, 'key.pem');
    const subject = ['-subj', '/CN=images.test', '-addext', 'subjectAltName=DNS:images.test,DNS:localhost'];
    const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
    await run('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate]);
    const { stdout: hash } = await run('openssl', ['passwd', '-apr1', 'open sesame']);
    writeFileSync(join(dir, 'users'), `publisher:${hash}`);
    writeFileSync(netrc, 'machine localhost login publisher password "open sesame"\n');
    mkdirSync(root);
    port = await freePort();
    stop = await startNginx(
      dir,
      port,
      `
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    root ${root};
    client_max_body_size 0;
    auth_basic "publishers only";
    auth_basic_user_file ${join(dir, 'users')};
    location / { dav_methods PUT DELETE MKCOL MOVE; autoindex on; autoindex_format json; }
  }`,
    );
  });
  afterAll(() => stop?.());

  const publish = (host: string, env: Readonly<Record<string, string>>) =>
    runCli(['publish', mirror, `https://${host}:${port}/${host}`], { ...nobody, ...env });

  test('gets a mirror, with the password of the netrc file', async () => {
    const known = { NODE_EXTRA_CA_CERTS: certificate, NETRC: netrc };
    const { stderr, code } = await publish('localhost', known);
    expect(code, stderr).toBe(0);
    expect(servedTree(join(root, 'localhost'))).toEqual(servedTree(mirror));
    const again = await publish('localhost', known);
    expect(again.stderr + again.stdout).toContain('up to date');
  });

  test('is not believed where nobody vouches for it', async () => {
    const { stderr, code } = await publish('localhost', { NETRC: netrc });
    expect(code).toBe(1);
    expect(stderr).toContain('NODE_EXTRA_CA_CERTS');
  });

  test('refuses whoever has no password, or a wrong one, which is not told', async () => {
    const wrong = { UPDATE_REPOSITORY_HTTP_USER: 'publisher', UPDATE_REPOSITORY_HTTP_PASSWORD: 'open barley' };
    for (const login of [{}, wrong]) {
      const { stdout, stderr, code } = await publish('localhost', { NODE_EXTRA_CA_CERTS: certificate, ...login });
      expect(code).toBe(1);
      expect(stderr).toMatch(/status 401.*netrc/s);
      expect(stdout + stderr).not.toMatch(/barley|publisher:|Basic/);
    }
  });

  test('is reached through the proxy of the environment, with the password of the environment', async () => {
    const asked: string[] = [];
    const proxy = createServer().on('connect', (request, client) => {
      asked.push(request.url ?? '');
      // It alone knows where images.test is.
      const server = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        server.pipe(client).pipe(server);
      });
      for (const socket of [server, client]) socket.on('error', () => [server, client].map((one) => one.destroy()));
    });
    const proxyPort = await listening(proxy);
    onTestFinished(() => void proxy.close());
    const { stderr, code } = await publish('images.test', {
      NODE_EXTRA_CA_CERTS: certificate,
      https_proxy: `http://127.0.0.1:${proxyPort}`,
      no_proxy: '',
      UPDATE_REPOSITORY_HTTP_USER: 'publisher',
      UPDATE_REPOSITORY_HTTP_PASSWORD: 'open sesame',
    });
    expect(code, stderr).toBe(0);
    expect(new Set(asked)).toEqual(new Set([`images.test:${port}`]));
    expect(servedTree(join(root, 'images.test'))).toEqual(servedTree(mirror));
  });
});
