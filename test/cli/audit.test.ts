import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startWebServer, type WebFault } from '../images/support/web-server.js';
import { makeMirrors } from '../publish/support/mirrors.js';
import { listening } from '../support/listening.js';
import { readClaims } from '../support/mirror-claims.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools, requireTools } from '../support/tools.js';
import { runCli } from './run.js';

describe.skipIf(!haveTools('mksquashfs', 'cksum'))('a mirror seen from outside', () => {
  const folder = temporaryDirectoryOfSuite();
  let mirrors: string[] = [];
  let image = '';

  beforeAll(async () => {
    mirrors = await makeMirrors(folder);
    image = [...readClaims(String(mirrors[0])).named.keys()].find((path) => path.endsWith('.img')) ?? '';
  });

  test('is found right by verify and by audit where it is', async () => {
    const url = await startWebServer(String(mirrors[0]));
    const verified = await runCli(['verify', url]);
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+: nothing wrong in \d+ files, .* MiB, /);
    const audited = await runCli(['audit', `${url}/`]);
    expect(audited, audited.stderr).toMatchObject({ code: 0 });
    expect(audited.stdout).toMatch(/^1 mirror: nothing wrong with \d+ files, /);
  });

  test.each([
    ['missing', 3, /missing: the server has none/, 3, /missing: the server has none/],
    ['redirect', 3, /unreadable: .*found status 302/, 3, /served: expected no redirect, found 302 to \/elsewhere/],
    ['broken', 3, /unreadable: .*found status 503/, 3, /unreadable: expected status 200, found 503/],
    ['no-ranges', 0, /^$/, 3, /served: expected 206 for a range, found 200: downloads cannot be resumed/],
    ['compressed', 0, /^$/, 3, /served: expected it as it is, found Content-Encoding gzip/],
    ['cut', 3, /unreadable: /, 0, /^$/],
    ['flipped', 3, /mismatch: expected sha256 [0-9a-f]+ \(SHA256SUMS\), found /, 0, /^$/],
    ['endless', 3, /mismatch: expected \d+ bytes, found more/, 0, /^$/],
  ] as const)(
    'with an image that is %s',
    async (fault: WebFault, verifyCode, verifyFinding, auditCode, auditFinding) => {
      const url = await startWebServer(String(mirrors[0]), (path) => (path === image ? fault : null));
      const verified = await runCli(['verify', '--quiet', url]);
      expect(verified.code, verified.stderr).toBe(verifyCode);
      expect(verified.stderr).toMatch(verifyFinding);
      const audited = await runCli(['audit', '--quiet', url]);
      expect(audited.code, audited.stderr).toBe(auditCode);
      expect(audited.stderr).toMatch(auditFinding);
      if (auditCode !== 0) expect(audited.stderr).toContain(`${url}/${image}: `);
    },
  );

  test.each([
    ['image', 'missing', 'verify', 3, 'error', 'missing', /the server has none/],
    ['image', 'flipped', 'verify', 3, 'error', 'mismatch', /expected sha256 \w+ \(SHA256SUMS\), found /],
    ['image', 'redirect', 'verify', 3, 'error', 'unreadable', /found status 302/],
    ['CKSUMS', 'missing', 'verify', 3, 'error', 'missing', /CKSUMS|none/],
    ['image', 'missing', 'audit', 3, 'error', 'missing', /the server has none/],
    ['image', 'redirect', 'audit', 3, 'error', 'served', /expected no redirect, found 302 to \/elsewhere/],
    ['image', 'no-ranges', 'audit', 3, 'error', 'served', /expected 206 for a range, found 200/],
    [
      'image',
      'other-range',
      'audit',
      3,
      'error',
      'served',
      /expected Content-Range bytes 0-0\/\d+, found bytes 0-0\/\*/,
    ],
    ['image', 'no-end', 'audit', 3, 'error', 'served', /expected 416 for a range past its end, found 200/],
    ['image', 'compressed', 'audit', 3, 'error', 'served', /found Content-Encoding gzip/],
    ['image', 'other-length', 'audit', 3, 'error', 'served', /expected Content-Length \d+, found \d+/],
    ['image', 'never-kept', 'audit', 0, 'warning', 'served', /expected Cache-Control public, .*, found no-store/],
    ['CKSUMS', 'compressed', 'audit', 3, 'error', 'served', /found Content-Encoding gzip/],
    ['CKSUMS', 'no-cache-rule', 'audit', 0, 'warning', 'served', /expected Cache-Control no-cache, found none/],
  ] as const)(
    'with %s that is %s: %s exits with %i and tells it as JSON',
    async (where, fault, command, exit, level, kind, message) => {
      const path = where === 'image' ? image : where;
      const url = await startWebServer(String(mirrors[0]), (asked) => (asked === path ? fault : null));
      const { code, stdout, stderr } = await runCli(['--json', command, url]);
      expect(code, stdout + stderr).toBe(exit);
      const events: Record<string, unknown>[] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const problems = events.filter(({ type }) => type === 'problem');
      expect(problems).toContainEqual({
        type: 'problem',
        level,
        kind,
        path: command === 'audit' ? `${url}/${path}` : path,
        message: expect.stringMatching(message),
      });
      const count = (wanted: string) => problems.filter((problem) => problem.level === wanted).length;
      expect(events.at(-1)).toMatchObject({
        type: `${command}-summary`,
        errors: count('error'),
        warnings: count('warning'),
      });
    },
  );

  test('whose certificate has expired is told so', async (context) => {
    requireTools(context, 'openssl');
    const [key, request, extensions, certificate] = ['key', 'request', 'extensions', 'certificate'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
    writeFileSync(extensions, 'subjectAltName=DNS:localhost\n');
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', key, '-out', request);
    const signed = ['-signkey', key, '-days', '-1', '-extfile', extensions, '-out', certificate];
    openssl('x509', '-req', '-in', request, ...signed);
    const pems = { key: readFileSync(key), cert: readFileSync(certificate) };
    const server = createServer(pems, (_, response) => response.end());
    const url = `https://localhost:${await listening(server)}`;
    onTestFinished(() => void server.close());
    const trust = { NODE_EXTRA_CA_CERTS: certificate };
    const verified = await runCli(['verify', url], trust);
    expect(verified).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/certificate has expired.*\nhint: renew/),
    });
    const audited = await runCli(['--json', 'audit', url], trust);
    expect(audited.code).toBe(3);
    expect(JSON.parse(audited.stdout.split('\n')[0] ?? '')).toMatchObject({
      type: 'problem',
      level: 'error',
      kind: 'unreadable',
      path: url,
      message: expect.stringContaining('certificate has expired'),
    });
  });

  test('that is behind another one is told, and one that is not there', async () => {
    const [old, current] = [await startWebServer(String(mirrors[0])), await startWebServer(String(mirrors[1]))];
    const nothing = await startWebServer(join(folder, 'pool'));
    const { code, stderr } = await runCli(['audit', '--quiet', old, current, nothing]);
    expect(code).toBe(3);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('stale: '))).toHaveLength(2);
    expect(
      lines.filter((line) => line.includes(`${old}: stale: series puavo-os-one-bookworm-amd64: expected version`)),
    ).toHaveLength(1);
    expect(lines.filter((line) => line.includes(`${nothing}: unreadable: `))).toHaveLength(1);
  });

  test('that nobody serves cannot be verified: that is the network', async () => {
    const { code, stderr } = await runCli(['verify', 'http://127.0.0.1:9']);
    expect(code).toBe(5);
    expect(stderr).toContain('http://127.0.0.1:9/index.json: GET: expected an answer, found ');
  });
});
