import { describe, expect, test } from 'vitest';
import { hasCode } from '../../../src/errors.js';
import { publish } from '../../../src/publish/publish.js';
import { readText } from '../../../src/publish/read-text.js';
import { type Release, textObject } from '../../../src/publish/release.js';
import { readRemote } from '../../../src/publish/remote.js';
import { openS3Storage } from '../../../src/publish/s3/open-s3-storage.js';
import type { Storage } from '../../../src/publish/storage.js';
import type { Ceph } from '../support/ceph.js';

const rounds = Number(process.env.SOAK_KILLS ?? 5);
const call = { signal: new AbortController().signal };

/** Two publishers at the same place at the same time. */
export function s3ContentionSuite(ceph: () => Ceph): void {
  describe('two publishers at once', () => {
    test(
      `never lose or mix what they publish, ${rounds} times (SOAK_KILLS), and the loser is told who holds the lock`,
      async () => {
        const open = async () =>
          await openS3Storage('s3://test/contention', {
            options: { endpoint: ceph().endpoint, pathStyle: true },
            retries: { attempts: 6, firstPauseMs: 50, onEvent: () => undefined },
            ...call,
          });
        const storages = [await open(), await open()] as const;
        let done = 0;
        for (let round = 0; round < rounds; round += 1) {
          const releases = storages.map((_, n) => releaseOf([`${round}-${n}.img`, 'common.img']));
          const endings = await Promise.all(storages.map((storage, n) => attempt(storage, releases[n]!)));
          done += endings.filter((ending) => ending === 'done').length;
          expect(endings).toContain('done');
          for (const ending of endings) expect(ending).toMatch(/^done$|: held by process \d+ on \S+ since /);
          const { state } = await readRemote(storages[0], call);
          expect(state.generations[0]?.number).toBe(done);
          await expectWhole(storages[0], releases);
        }
      },
      60_000 + rounds * 10_000,
    );
  });
}

function releaseOf(names: readonly string[]): Release {
  const index = (path: string) => textObject(path, JSON.stringify(names), 'application/json');
  return {
    immutables: names.map((name) => textObject(name, `content of ${name}`, 'application/octet-stream')),
    indexStages: [[index('meta/a.json'), index('meta/b.json')], [index('CKSUMS')], [index('index.json')]],
  };
}

async function attempt(storage: Storage, release: Release): Promise<string> {
  const quiet = { dryRun: false, transfers: 2, verifyFull: false, limit: null, onEvent: () => undefined };
  try {
    await publish(release, { mirror: '/srv/mirror', storage, ...quiet, ...call });
    return 'done';
  } catch (error) {
    if (hasCode(error, 'LOCKED')) return error.message;
    throw error;
  }
}

/** All indexes are those of one and the same release, and what they name is there. */
async function expectWhole(storage: Storage, releases: readonly Release[]): Promise<void> {
  const paths = ['meta/a.json', 'meta/b.json', 'CKSUMS', 'index.json'];
  const texts = await Promise.all(paths.map((path) => readText(storage, path, 10_000, call)));
  expect(new Set(texts).size, texts.join()).toBe(1);
  const release = releases.find(({ immutables }) => JSON.stringify(immutables.map(({ path }) => path)) === texts[0]);
  expect(release, `${texts[0]}`).toBeDefined();
  for (const { path, sha256 } of release?.immutables ?? []) {
    expect((await storage.stat(path, call))?.sha256).toBe(sha256);
  }
}
