import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNginx } from '../peers/nginx.mjs';
import { freePort } from '../peers/server-process.mjs';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { makeCertificates } from './support/certificates.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deviceWith,
  partialNames,
  updateTo,
  versionIn,
} from './support/updates.js';

describe.each(['all', 'neighbours'])(
  'a mirror of six versions with deltas of %s, which nginx serves over TLS',
  (deltas) => {
    describe.skipIf(!haveTools('nginx', 'openssl', 'cksum'))('to devices', () => {
      const dir = temporaryDirectoryOfSuite();
      let mirror: BuiltMirror;
      let source: { urls: string[]; caFile: string };
      let stop: (() => Promise<void>) | undefined;

      beforeAll(async () => {
        mirror = await buildMirrorOf(6, dir, deltas);
        const { caFile, certificateFile, keyFile } = makeCertificates(dir);
        const port = await freePort();
        const server = `server { listen 127.0.0.1:${port} ssl; root ${mirror.root};
      ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile}; }`;
        stop = await startNginx(dir, port, server);
        source = { urls: [`https://localhost:${port}`], caFile };
      });
      afterAll(async () => await stop?.());

      const pairs = [...Array(6).keys()].flatMap((from) => [...Array(6).keys()].map((to) => [from, to] as const));

      test.each(pairs.filter(([from, to]) => from !== to))('leads from version %d to %d', async (from, to) => {
        const [base, target] = [String(mirror.images[from]), String(mirror.images[to])];
        const device = await deviceWith(join(dir, `device-${from}-${to}`), base);
        const { summary } = await updateTo(versionIn(target), device, source);
        expect(summary).toMatchObject({ from: versionIn(base), to: versionIn(target), changed: true });
        expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
        expect(readFileSync(join(device, 'previous')).equals(readFileSync(base))).toBe(true);
        expect(summary.fetchedBytes).toBe(summary.plannedBytes);
        const hasDeltas = deltas === 'all' || from < to;
        if (hasDeltas) expect(summary.fetchedBytes).toBeLessThan(readFileSync(target).length);
        expect(partialNames(device)).toEqual([]);
      });

      test.each([...Array(6).keys()])('leads from nothing to version %d', async (to) => {
        const target = String(mirror.images[to]);
        const device = await deviceWith(join(dir, `device-none-${to}`), null);
        const { summary } = await updateTo(versionIn(target), device, source);
        expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
        expect(summary.fetchedBytes).toBe(summary.plannedBytes);
      });

      test('has nothing to do for who is there', async () => {
        const target = String(mirror.images[5]);
        const device = await deviceWith(join(dir, 'device-there'), target);
        const { summary } = await updateTo(versionIn(target), device, source);
        expect(summary).toMatchObject({ changed: false, plannedBytes: 0, fetchedBytes: 0 });
      });

      test('takes another way where a delta is damaged, and keeps what it has where there is none', async () => {
        const damaged = join(dir, 'damaged');
        cpSync(mirror.root, damaged, { recursive: true });
        const port = await freePort();
        const own = join(dir, 'damaged-server');
        cpSync(join(dir, 'server.pem'), join(own, 'server.pem'), { recursive: true });
        const stopDamaged = await startNginx(own, port, `server { listen 127.0.0.1:${port}; root ${damaged}; }`);
        try {
          const [base, target] = [String(mirror.images[4]), String(mirror.images[5])];
          const stamps = [base, target].map((path) => /\d{4}-\d\d-\d\d-\d{6}/.exec(path)?.[0]);
          const delta = join(damaged, 'rdiffs', `puavo-os-test-bookworm-${stamps.join('--')}-amd64.rdiff`);
          const bytes = readFileSync(delta);
          rmSync(delta);
          bytes[bytes.length >> 1]! ^= 1;
          writeFileSync(delta, bytes);
          const device = await deviceWith(join(dir, 'device-damaged'), base);
          const here = { urls: [`http://127.0.0.1:${port}`] };
          const refused = updateTo(versionIn(target), device, here, { policy: { fallback: 'never', maxHops: 1 } });
          await expect(refused).rejects.toMatchObject({ code: 'VERIFICATION' });
          expect(currentBytes(device).equals(readFileSync(base))).toBe(true);
          expect(partialNames(device)).toEqual([]);
          const { events } = await updateTo(versionIn(target), device, here);
          expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
          expect(events).toContainEqual(
            expect.objectContaining({ type: 'note', message: expect.stringContaining('looking for another way') }),
          );
        } finally {
          await stopDamaged();
        }
      });
    });
  },
);
