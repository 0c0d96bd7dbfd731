import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RepositoryEvent } from '../../../src/events.js';
import { LOCK_PATH } from '../../../src/publish/lease.js';
import { projectRoot, runCli, startCli } from '../../cli/run.js';
import { startDavApache } from '../../peers/apache.mjs';
import { NGINX_DAV_EXT, startDavNginx } from '../../peers/nginx.mjs';
import { dailyStamps } from '../../support/image-name.js';
import { makeRawImages } from '../../support/raw-images.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { openedHttp } from '../support/opened-http.js';
import { publishTo, releaseOf } from '../support/releases.js';
import { startS3Proxy } from '../support/s3-proxy.js';

const call = { signal: new AbortController().signal };

describe.each([
  [
    'nginx',
    ['nginx', NGINX_DAV_EXT],
    (dir: string) => startDavNginx(dir, { methods: 'PUT DELETE MKCOL MOVE', propfind: true, autoindex: false }),
  ],
  ['Apache', ['apache2'], startDavApache],
] as const)('the lock of %s', (_, tools, start) => {
  describe.skipIf(!haveTools(...tools))('against a second publisher', () => {
    const dir = temporaryDirectoryOfSuite();
    let peer: Awaited<ReturnType<typeof startDavApache>>;
    beforeAll(async () => {
      peer = await start(dir);
    });
    afterAll(() => peer?.stop());

    async function opened() {
      const storage = await openedHttp(`${peer.url}/mirror`);
      onTestFinished(() => storage.close());
      const { lock } = storage;
      if (lock === undefined) throw new Error('expected a server with locks');
      return { storage, lock };
    }

    test('lets one in, who is named to the other, until it is released', async () => {
      const [first, second] = [await opened(), await opened()];
      const held = await first.lock(call);
      await held.assertHeld();
      await expect(second.lock(call)).rejects.toMatchObject({
        code: 'LOCKED',
        message: expect.stringContaining(`held by process ${process.pid} on `),
      });
      await held.assertHeld();
      await held.release();
      const next = await second.lock(call);
      await next.assertHeld();
      await next.release();
    });

    test('lets no two in who come at once', async () => {
      const storages = await Promise.all(Array.from({ length: 4 }, opened));
      for (let turn = 0; turn < 5; turn += 1) {
        const answers = await Promise.allSettled(storages.map(({ lock }) => lock(call)));
        const held = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
        for (const answer of answers) {
          // Apache says 500 to some where many ask at once.
          if (answer.status === 'rejected' && answer.reason.data.status !== 500) {
            expect(answer.reason.code).toBe('LOCKED');
          }
        }
        expect(held.length).toBeLessThanOrEqual(1);
        await held[0]?.release();
      }
    });

    test.each([
      ['says 409 to a second one', 'LOCK', 2],
      ['keeps it when it is given back', 'UNLOCK', 1],
      ['says 409 to the next one', 'LOCK', 3],
    ])('is known of a server that %s once', async (_case, method, disturbedAt) => {
      const proxy = await startS3Proxy(peer.url);
      let asked = 0;
      proxy.judge = (line) =>
        line.startsWith(`${method} `) && ++asked === disturbedAt ? { status: method === 'LOCK' ? 409 : 204 } : 'pass';
      const storage = await openedHttp(`${proxy.endpoint}/mirror`);
      onTestFinished(() => storage.close());
      expect(asked).toBeGreaterThan(disturbedAt);
      expect(storage.lock).toBeDefined();
    });

    test('is lost when another one ends it, which shows', async () => {
      const { lock } = await opened();
      const held = await lock(call);
      const { token } = JSON.parse(readFileSync(join(peer.root, 'mirror', LOCK_PATH), 'utf8'));
      const ended = await fetch(`${peer.url}/mirror/${LOCK_PATH}`, {
        method: 'UNLOCK',
        headers: { 'lock-token': `<${token}>` },
      });
      expect(ended.status).toBe(204);
      await expect(held.assertHeld()).rejects.toMatchObject({ code: 'LOCKED' });
      await held.release();
    });

    /** Whether the server would give the lock to a stranger, who knows nothing of dead processes. */
    async function isFree(): Promise<boolean> {
      const body =
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>';
      const url = `${peer.url}/mirror/${LOCK_PATH}`;
      const answer = await fetch(url, { method: 'LOCK', body, headers: { depth: '0', timeout: 'Second-60' } });
      const token = answer.headers.get('lock-token');
      await answer.arrayBuffer();
      if (answer.status !== 200 && answer.status !== 201) return false;
      await fetch(url, { method: 'UNLOCK', headers: { 'lock-token': String(token) } });
      return true;
    }

    test.each([1, 2, 3])('is free after an abort that comes with the answer to LOCK request %i', async (abortedAt) => {
      const proxy = await startS3Proxy(peer.url);
      const storage = await openedHttp(`${proxy.endpoint}/mirror`);
      onTestFinished(() => storage.close());
      const stop = new AbortController();
      let locks = 0;
      proxy.onAnswer = ({ line }) => {
        if (line.startsWith('LOCK ') && line.endsWith(LOCK_PATH) && ++locks === abortedAt) stop.abort();
      };
      const release = releaseOf([`abort-${abortedAt}.img`]);
      await expect(publishTo(storage, release, { signal: stop.signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
      expect(locks).toBeGreaterThanOrEqual(abortedAt);
      expect(await isFree()).toBe(true);
    });

    test('is free after SIGINT', async () => {
      const mirror = join(dir, 'built');
      const images = join(dir, 'images');
      const [stem, arch, seed] = ['puavo-os-test-bookworm', 'amd64', 'SIGINT'];
      await makeRawImages({ dir: images, stem, arch, stamps: dailyStamps(1), seed, sizeBytes: 1_000_000 });
      expect(await runCli(['--quiet', '--base-url', 'https://x.example', images, mirror])).toMatchObject({ code: 0 });
      const child = startCli(['--json', 'publish', '--bwlimit', '100K', mirror, `${peer.url}/mirror`]);
      let stopped = false;
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (stopped || !line.includes('"job-progress"')) return;
        stopped = true;
        child.kill('SIGINT');
      });
      child.stderr.resume();
      const [code] = await once(child, 'exit');
      expect(code).toBe(130);
      expect(await isFree()).toBe(true);
    });

    test.each([
      ['while images are stored', 'job-started', []],
      ['between indexes', 'index-written', ['meta/a.json']],
    ] as const)('when it is lost %s no further index is stored', async (_when, type, written) => {
      const { storage } = await opened();
      const release = releaseOf([`lost-${type}.img`]);
      let lost = false;
      const onEvent = (event: RepositoryEvent) => {
        if (event.type === 'index-written') told.push(event.path);
        if (event.type !== type || lost) return;
        const { token } = JSON.parse(readFileSync(join(peer.root, 'mirror', LOCK_PATH), 'utf8'));
        lost = true;
        execFileSync('curl', [
          '-sS',
          '-X',
          'UNLOCK',
          '-H',
          `Lock-Token: <${token}>`,
          `${peer.url}/mirror/${LOCK_PATH}`,
        ]);
      };
      const told: string[] = [];
      await expect(publishTo(storage, release, { onEvent })).rejects.toMatchObject({
        code: 'LOCKED',
        message: expect.stringContaining('the lock was lost'),
      });
      expect(told).toEqual(written);
    });

    test('that cannot be given back does not change what the publish came to', async () => {
      const proxy = await startS3Proxy(peer.url);
      const storage = await openedHttp(`${proxy.endpoint}/mirror`);
      onTestFinished(() => storage.close());
      proxy.judge = (line) => (line === `UNLOCK /mirror/${LOCK_PATH}` ? 'lose-answer' : 'pass');
      const { summary } = await publishTo(storage, releaseOf(['not-given-back.img']));
      expect(summary.changed).toBe(true);
    });

    test('is taken over from a process that was killed', async () => {
      const { lock } = await opened();
      const script = join(dir, 'killed.mjs');
      writeFileSync(
        script,
        `import { openHttpStorage } from ${JSON.stringify(join(projectRoot, 'dist/publish/http/open.js'))};
const storage = await openHttpStorage(${JSON.stringify(`${peer.url}/mirror`)}, { signal: new AbortController().signal });
await storage.prepare({ signal: new AbortController().signal });
await storage.lock({ signal: new AbortController().signal });
process.kill(process.pid, 'SIGKILL');
`,
      );
      const [, signal] = await once(spawn(process.execPath, [script], { stdio: 'inherit' }), 'exit');
      expect(signal).toBe('SIGKILL');
      const held = await lock(call);
      await held.assertHeld();
      await held.release();
    });
  });
});
