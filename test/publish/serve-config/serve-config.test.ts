import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/run.js';
import { freePort } from '../../peers/server-process.mjs';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { startServed } from './served.js';

const run = promisify(execFile);
const HOST = 'localhost';
const IMAGE = 'puavo-os-test-bookworm-2025-01-13-060000-amd64.img';
const RDIFF = 'rdiffs/puavo-os-test-bookworm-2025-01-13-060000--2025-01-27-060000-amd64.rdiff';
const IMMUTABLE = 'public, max-age=31536000, immutable';
const IMAGE_BYTES = pseudoRandomBytes('image', 3_000_000);

const FILES: Readonly<Record<string, string | Buffer>> = {
  [IMAGE]: IMAGE_BYTES,
  [RDIFF]: pseudoRandomBytes('rdiff', 100_000),
  [`${RDIFF}.zst`]: pseudoRandomBytes('zst', 50_000),
  'meta/puavo-os-test.json': `{ "images": [${'"much of the same", '.repeat(1000)}""] }`,
  'index.json': '{}',
  CKSUMS: `${'1 2 a.img\n'.repeat(1000)}`,
  SHA256SUMS: '',
  'SHA256SUMS.gpg': 'x',
  'rdiffs/SHA256SUMS': '',
  'rdiffs/SHA256SUMS.asc': 'x',
  '.update-repository/published.json': '{}',
  'meta/.hidden': 'x',
  '.well-hidden': 'x',
  [`${IMAGE}.tmp`]: 'half of it',
  'rdiffs/half.rdiff.tmp': 'half of it',
};

describe.each([
  ['nginx', 'nginx'],
  ['apache', 'apache2'],
  ['caddy', 'caddy'],
] as const)('the configuration for %s', (server, command) => {
  describe.skipIf(!haveTools(command, 'openssl', 'curl', 'wget'))('in use', () => {
    const dir = temporaryDirectoryOfSuite();
    const certificate = join(dir, 'certificate.pem');
    let port = 0;
    let stop: (() => Promise<void>) | undefined;
    const url = (path: string) => `https://${HOST}:${port}/${path}`;

    beforeAll(async () => {
      const key = join(dir, 'key.pem');
      const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
      const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
      await run('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate]);
      writeMirror(join(dir, 'www'));
      port = await freePort();
      const options = ['--server-name', HOST, '--certificate', certificate, '--key', key];
      const listen = ['--listen', `127.0.0.1:${port}`];
      const { stdout, code } = await runCli(['serve-config', server, join(dir, 'www'), ...options, ...listen]);
      expect(code).toBe(0);
      stop = await startServed[server](dir, port, stdout);
    });
    afterAll(() => stop?.());

    /** What curl gets, asking for packed bytes as browsers do. */
    async function get(path: string, ...options: readonly string[]) {
      const head = join(dir, 'head');
      const body = join(dir, 'body');
      const trust = ['--http1.1', '--ipv4', '--noproxy', '*', '--cacert', certificate];
      const asked = ['-H', 'Accept-Encoding: gzip, br, zstd', '--path-as-is', '--max-time', '20'];
      writeFileSync(body, '');
      await run('curl', ['-sS', ...trust, ...asked, ...options, '-D', head, '-o', body, url(path)]);
      const [status = '', ...lines] = readFileSync(head, 'latin1').trim().split('\r\n');
      const headers = new Map(lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.replace(/^[^:]*: */, '')]));
      return {
        status: Number(status.split(' ')[1]),
        header: (name: string) => headers.get(name),
        body: readFileSync(body),
      };
    }

    test.each([
      [IMAGE, 'application/octet-stream', IMMUTABLE],
      [RDIFF, 'application/octet-stream', IMMUTABLE],
      [`${RDIFF}.zst`, 'application/zstd', IMMUTABLE],
      ['meta/puavo-os-test.json', 'application/json', 'no-cache'],
      ['index.json', 'application/json', 'no-cache'],
      ['CKSUMS', 'text/plain; charset=utf-8', 'no-cache'],
      ['SHA256SUMS', 'text/plain; charset=utf-8', 'no-cache'],
      ['SHA256SUMS.gpg', 'application/pgp-signature', 'no-cache'],
      ['rdiffs/SHA256SUMS', 'text/plain; charset=utf-8', 'no-cache'],
      ['rdiffs/SHA256SUMS.asc', 'application/pgp-signature', 'no-cache'],
    ])('%s comes as it is, with its length, type and rule for caches', async (path, type, cacheControl) => {
      const { status, header, body } = await get(path);
      const content = Buffer.from(FILES[path] ?? '');
      expect(status).toBe(200);
      expect(body.equals(content)).toBe(true);
      expect(header('content-length')).toBe(String(content.length));
      expect(header('content-encoding')).toBeUndefined();
      expect(header('transfer-encoding')).toBeUndefined();
      expect(header('content-type')).toBe(type);
      expect(header('cache-control')).toBe(cacheControl);
      expect(header('etag')).toMatch(/"/);
      expect(header('accept-ranges')).toBe('bytes');
    });

    test('a range is 206, and one behind the end 416', async () => {
      const middle = await get(IMAGE, '-r', '1000000-1000099');
      expect(middle.status).toBe(206);
      expect(middle.body.equals(IMAGE_BYTES.subarray(1_000_000, 1_000_100))).toBe(true);
      expect(middle.header('content-range')).toBe('bytes 1000000-1000099/3000000');
      expect(middle.header('content-length')).toBe('100');
      expect(middle.header('content-encoding')).toBeUndefined();
      const rest = await get(IMAGE, '-r', '2999999-');
      expect([rest.status, rest.body.length]).toEqual([206, 1]);
      const end = await get(IMAGE, '-r', '3000000-');
      expect(end.status).toBe(416);
    });

    test('what a cache has need not be sent again', async () => {
      const etag = (await get('CKSUMS')).header('etag');
      expect((await get('CKSUMS', '-H', `If-None-Match: ${etag}`)).status).toBe(304);
    });

    test.each([
      '.update-repository/published.json',
      '.update-repository/',
      '.update-repository',
      'meta/.hidden',
      '.well-hidden',
      `${IMAGE}.tmp`,
      'rdiffs/half.rdiff.tmp',
      'rdiffs',
      'rdiffs/',
      'meta',
      '',
      'none.img',
      'rdiffs/none.rdiff',
      '%2eupdate-repository/published.json',
      'meta/%2ehidden',
    ])('/%s is not there, leads nowhere, and is not kept', async (path) => {
      const { status, header } = await get(path);
      expect(status).toBe(404);
      expect(header('location')).toBeUndefined();
      expect(header('cache-control')).toBeUndefined();
    });

    test('a file with a slash behind it leads nowhere', async () => {
      expect((await get('CKSUMS/')).header('location')).toBeUndefined();
    });

    test('nothing can be stored or removed', async () => {
      expect((await get(IMAGE, '-X', 'DELETE')).status).toBe(405);
      expect((await get('new', '-X', 'PUT', '-d', 'x')).status).toBeGreaterThanOrEqual(404);
      expect((await get(IMAGE)).status).toBe(200);
    });

    test('wget goes on where it stopped, and ends well when there is nothing left', async () => {
      const target = join(dir, 'wget', IMAGE);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, IMAGE_BYTES.subarray(0, 1_234_567));
      const options = ['-c', '-4', '--no-proxy', `--ca-certificate=${certificate}`, '--tries=1', '--timeout=20'];
      const { stderr } = await run('wget', [...options, '-O', target, url(IMAGE)]);
      expect(stderr).toContain('206 Partial Content');
      expect(sha256(readFileSync(target))).toBe(sha256(IMAGE_BYTES));
      const again = await run('wget', [...options, '-O', target, url(IMAGE)]);
      expect(again.stderr).toContain('416');
      expect(sha256(readFileSync(target))).toBe(sha256(IMAGE_BYTES));
    });
  });
});

function writeMirror(root: string): void {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  chmodSync(dirname(root), 0o711);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
