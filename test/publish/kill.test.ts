import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { finishedCli, runCli, startCli } from '../cli/run.js';
import { readClaims } from '../support/mirror-claims.js';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { makeMirrors } from './support/mirrors.js';

const kills = Number(process.env.SOAK_KILLS ?? 12);
const seed = process.env.SOAK_SEED ?? '1';

describe.skipIf(!haveTools('mksquashfs', 'cksum'))('a publish into a directory', () => {
  const folder = temporaryDirectoryOfSuite();
  const www = join(folder, 'www');
  /** Mirrors that follow each other: one image more, one series less, the same again. */
  let mirrors: string[] = [];

  beforeAll(async () => {
    mirrors = await makeMirrors(folder);
  });

  test(
    `that is killed at ${kills} instants (SOAK_SEED=${seed}) leaves what readers can use, and is completed by the next one`,
    async () => {
      const random = pseudoRandomNumbers(seed);
      let killed = 0;
      for (let run = 0; killed < kills; run += 1) {
        expect(run, 'runs that it took').toBeLessThan(20 + kills * 10);
        const mirror = String(mirrors[run % mirrors.length]);
        if ((await publishAndKill(mirror, random)) === 'killed') killed += 1;
        expect(readClaims(www).broken).toEqual([]);
        if (run % 5 === 4) await expectCompleted(mirror);
      }
      await expectCompleted(String(mirrors[0]));
    },
    120_000 + kills * 20_000,
  );

  test('is seen whole by whoever reads all the time, while mirrors take turns', async () => {
    rmSync(www, { recursive: true, force: true });
    const turns = Math.max(6, Math.ceil(kills / 2));
    for (let turn = 0; turn < turns; turn += 1) {
      const child = startCli(['publish', '--quiet', String(mirrors[turn % mirrors.length]), www]);
      const ended = finishedCli(child);
      let running = true;
      void ended.finally(() => {
        running = false;
      });
      while (running) {
        expect(readClaims(www).broken).toEqual([]);
        await sleep(1);
      }
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
    }
  }, 300_000);

  /** Publishes again, undisturbed: readers then find what the mirror serves. */
  async function expectCompleted(mirror: string): Promise<void> {
    expect(await runCli(['publish', '--quiet', mirror, www])).toMatchObject({ code: 0, stderr: '' });
    expect(await runCli(['publish', '--dry-run', '--quiet', mirror, www])).toMatchObject({ code: 0 });
    expect(readClaims(www).broken).toEqual([]);
    const published = servedTree(www);
    for (const [path, sha256] of Object.entries(servedTree(mirror))) expect(published[path], path).toBe(sha256);
  }

  async function publishAndKill(mirror: string, random: () => number): Promise<'killed' | 'completed'> {
    const child = startCli(['--json', 'publish', '--bwlimit', '20M', mirror, www]);
    const ended = once(child, 'close');
    let eventsLeft = Math.floor(random() * random() * 60);
    createInterface({ input: child.stdout }).on('line', () => {
      if (eventsLeft-- === 0) void sleep(random() * 5).then(() => child.kill('SIGKILL'));
    });
    if (random() < 0.1) void sleep(random() * 300).then(() => child.kill('SIGKILL'));
    child.stderr.resume();
    await ended;
    if (child.signalCode === 'SIGKILL') return 'killed';
    expect(child.exitCode, basename(mirror)).toBe(0);
    return 'completed';
  }
});
