import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startWebServer, type WebFault } from '../images/support/web-server.js';
import { makeMirrors } from '../publish/support/mirrors.js';
import { readClaims } from '../support/mirror-claims.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
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
