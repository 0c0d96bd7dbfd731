import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/run.js';
import { freePort } from '../../peers/server-process.mjs';
import { dailyStamps } from '../../support/image-name.js';
import { makeRawImages } from '../../support/raw-images.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { startServed } from './served.js';

const run = promisify(execFile);
const HOST = 'localhost';

/** A certificate authority of the clients' own, as Puavo's have one, and a server's certificate that it vouches for. */
async function makeCertificates(dir: string) {
  const path = (name: string) => join(dir, name);
  const [authority, certificate, key] = [path('authority.pem'), path('certificate.pem'), path('key.pem')];
  const [authorityKey, request, extensions] = [path('authority-key.pem'), path('request.pem'), path('extensions')];
  const fresh = ['-newkey', 'rsa:2048', '-nodes'];
  await run('openssl', [
    'req',
    '-x509',
    ...fresh,
    '-days',
    '2',
    '-subj',
    '/CN=root',
    '-keyout',
    authorityKey,
    '-out',
    authority,
  ]);
  await run('openssl', ['req', ...fresh, '-subj', `/CN=${HOST}`, '-keyout', key, '-out', request]);
  writeFileSync(extensions, `subjectAltName=DNS:${HOST}\n`);
  const signed = ['-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, ...signed, '-out', certificate]);
  return { authority, certificate, key };
}

describe.each([
  ['nginx', 'nginx'],
  ['apache', 'apache2'],
  ['caddy', 'caddy'],
] as const)('a mirror that %s serves over TLS as serve-config says', (server, command) => {
  describe.skipIf(!haveTools(command, 'openssl', 'curl', 'wget'))('for whoever trusts its authority', () => {
    const dir = temporaryDirectoryOfSuite();
    const mirror = join(dir, 'mirror');
    let authority = '';
    let url = '';
    let image = '';
    let bytes = Buffer.alloc(0);
    let stop: (() => Promise<void>) | undefined;

    beforeAll(async () => {
      const images = join(dir, 'images');
      const [stem, arch, seed] = ['puavo-os-test-bookworm', 'amd64', 'served'];
      await makeRawImages({ dir: images, stem, arch, stamps: dailyStamps(2), seed, sizeBytes: 1_000_000 });
      const made = await makeCertificates(dir);
      authority = made.authority;
      const port = await freePort();
      url = `https://${HOST}:${port}`;
      expect(await runCli(['--quiet', '--base-url', url, images, mirror])).toMatchObject({ code: 0 });
      image = readdirSync(mirror).find((name) => name.endsWith('.img')) ?? '';
      bytes = readFileSync(join(mirror, image));
      chmodSync(dir, 0o711);
      const files = ['--certificate', made.certificate, '--key', made.key, '--listen', `127.0.0.1:${port}`];
      const { stdout, code } = await runCli(['serve-config', server, mirror, '--server-name', HOST, ...files]);
      expect(code).toBe(0);
      stop = await startServed[server](dir, port, stdout);
    });
    afterAll(() => stop?.());

    const wget = (target: string) => {
      const options = ['-c', '-4', '--no-proxy', '--no-config', '-S', '--tries=1', '--timeout=20'];
      return run('wget', [...options, `--ca-certificate=${authority}`, '-O', target, `${url}/${image}`]);
    };
    const curl = (target: string, ...options: string[]) => {
      const trust = ['--ipv4', '--noproxy', '*', '--cacert', authority, '--max-time', '20'];
      return run('curl', ['-sS', ...trust, ...options, '-w', '%{http_code}', '-o', target, `${url}/${image}`]);
    };

    test.each([
      ['nothing', 0, '200 OK'],
      ['a part', 400_000, '206 Partial Content'],
      ['all but a byte', 999_999, '206 Partial Content'],
    ])('wget -c goes on from %s', async (_, have, answer) => {
      const target = join(dir, 'wget.img');
      writeFileSync(target, bytes);
      truncateSync(target, have);
      if (have === 0) rmSync(target);
      const { stderr } = await wget(target);
      expect(stderr).toContain(answer);
      expect(stderr).toMatch(new RegExp(`Content-Length: ${bytes.length - have}`, 'i'));
      expect(stderr).not.toMatch(/Location:|Transfer-Encoding|Content-Encoding/i);
      expect(readFileSync(target).equals(bytes)).toBe(true);
    });

    test('wget -c of what is complete ends well, with 416', async () => {
      const target = join(dir, 'wget-complete.img');
      writeFileSync(target, bytes);
      const { stderr } = await wget(target);
      expect(stderr).toContain('416');
      expect(readFileSync(target).equals(bytes)).toBe(true);
    });

    test('curl -C - goes on from a part, and leaves what is complete as it is', async () => {
      const target = join(dir, 'curl.img');
      writeFileSync(target, bytes.subarray(0, 123_456));
      expect((await curl(target, '-C', '-')).stdout).toBe('206');
      expect(readFileSync(target).equals(bytes)).toBe(true);
      expect((await curl(target, '-C', '-')).stdout).toBe('416');
      expect(readFileSync(target).equals(bytes)).toBe(true);
    });

    test.each([
      ['0-0', 0, 1],
      ['500000-500099', 500_000, 500_100],
      ['-100', -100, undefined],
    ])('curl --range %s gets just that', async (range, start, end) => {
      const target = join(dir, 'range');
      expect((await curl(target, '--range', range)).stdout).toBe('206');
      expect(readFileSync(target).equals(bytes.subarray(start, end))).toBe(true);
    });

    test('verify and audit find nothing wrong', async () => {
      const trust = { NODE_EXTRA_CA_CERTS: authority, no_proxy: HOST };
      const verified = await runCli(['verify', url], trust);
      expect(verified, verified.stderr).toMatchObject({ code: 0 });
      expect(verified.stdout).toContain(`${url}: nothing wrong in `);
      const audited = await runCli(['audit', url], trust);
      expect(audited, audited.stderr).toMatchObject({ code: 0, stderr: '' });
    });

    test('verify and audit say which authority they want where they do not know it', async () => {
      const verified = await runCli(['verify', url]);
      expect(verified.code).toBe(1);
      expect(verified.stderr).toMatch(/certificate.*\nhint: .*NODE_EXTRA_CA_CERTS/);
      const audited = await runCli(['audit', '--quiet', url]);
      expect(audited.code).toBe(3);
      expect(audited.stderr).toMatch(/unreadable: .*certificate.*NODE_EXTRA_CA_CERTS/);
    });
  });
});
