import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LOCK_PATH } from '../../../src/publish/lease.js';
import { projectRoot } from '../../cli/run.js';
import { startDavApache } from '../../peers/apache.mjs';
import { NGINX_DAV_EXT, startDavNginx } from '../../peers/nginx.mjs';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { openedHttp } from '../support/opened-http.js';

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
        for (const answer of answers) if (answer.status === 'rejected') expect(answer.reason.code).toBe('LOCKED');
        expect(held.length).toBeLessThanOrEqual(1);
        await held[0]?.release();
      }
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
