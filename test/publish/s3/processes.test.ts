import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MAX_BYTES_AT_ONCE } from '../../../src/publish/s3/part-size.js';
import { finishedCli, runCli, startCli } from '../../cli/run.js';
import { pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../../support/temporary-directory.js';
import { haveTools } from '../../support/tools.js';
import { CEPH_ENV, CEPH_TOOLS, type Ceph, openUploads, startCeph } from '../support/ceph.js';
import { indexesOf, readOverHttp } from '../support/http-reader.js';
import { makeLargeMirrors } from '../support/large-mirrors.js';

const kills = Number(process.env.SOAK_KILLS ?? 3);
const seed = process.env.SOAK_SEED ?? '1';
/** A quarter of the kills of a soak. */
const rounds = process.env.SOAK_KILLS === undefined ? 2 : Math.ceil(kills / 4);
const MIB = 1 << 20;

describe.skipIf(!haveTools(...CEPH_TOOLS, 'cksum'))('publishes to S3, as processes', () => {
  const dir = temporaryDirectoryOfSuite();
  const seen = join(dir, 'seen');
  /** Those of {@link makeLargeMirrors}. */
  let mirrors: string[] = [];
  let ceph: Ceph;
  beforeAll(async () => {
    for (const [name, value] of Object.entries(CEPH_ENV)) vi.stubEnv(name, value);
    ceph = await startCeph(dir);
  });
  beforeAll(async () => {
    mirrors = await makeLargeMirrors(dir);
  });
  afterAll(async () => {
    await ceph?.stop();
    vi.unstubAllEnvs();
  });

  const s3 = () => ['--endpoint', ceph.endpoint, '--path-style'];
  const publishing = (words: readonly string[]) => ['publish', ...s3(), '--s3-acl', 'public-read', ...words];
  const read = async (prefix: string) => await readOverHttp(`${ceph.endpoint}/test/${prefix}`, mirrors, seen);

  test(
    `one that is killed at ${kills} instants (SOAK_SEED=${seed}) leaves a mirror to readers, and is completed by the next one`,
    async () => {
      const random = pseudoRandomNumbers(seed);
      const target = 's3://test/killed';
      let [killed, cutUploads] = [0, 0];
      for (let run = 0; killed < kills; run += 1) {
        expect(run, 'runs that it took').toBeLessThan(20 + kills * 3);
        const mirror = String(mirrors[run % 2]);
        const ended = await publishAndKill(mirror, target, run === 0 ? amidParts : atRandom(random), random() * 50);
        if (ended === 'killed') killed += 1;
        cutUploads += (await openUploads(ceph)).length > 0 ? 1 : 0;
        await read('killed');
        if (run % 4 === 3) await startOver(mirror, target);
      }
      expect(cutUploads, 'kills that left an upload open').toBeGreaterThan(0);
      await expectCompleted(String(mirrors[0]), target);
      console.log(`${killed} kills, ${cutUploads} times an upload was open after them`);
    },
    180_000 + kills * 30_000,
  );

  /** Completes what was killed, and lets the large images go, so that they are stored again. */
  async function startOver(mirror: string, target: string): Promise<void> {
    for (const each of [mirror, ...mirrors.slice(2)]) await expectCompleted(each, target);
    const pruned = await runCli(['prune', ...s3(), '--quiet', '--grace', '0', target], CEPH_ENV);
    expect(pruned).toMatchObject({ code: 0, stderr: '' });
    expect(await read('killed')).toEqual(indexesOf(String(mirrors.at(-1))));
  }

  /** Published again, undisturbed: readers find what the mirror serves, and nothing is left of what was cut off. */
  async function expectCompleted(mirror: string, target: string): Promise<void> {
    expect(await runCli(publishing(['--quiet', mirror, target]), CEPH_ENV)).toMatchObject({ code: 0, stderr: '' });
    expect(await openUploads(ceph)).toEqual([]);
    const Prefix = `${target.replace('s3://test/', '')}/.update-repository/s3/uploads/`;
    const left = await ceph.client.send(new ListObjectsV2Command({ Bucket: 'test', Prefix }));
    expect((left.Contents ?? []).map(({ Key }) => Key)).toEqual([]);
    expect(await runCli(publishing(['--dry-run', '--quiet', mirror, target]), CEPH_ENV)).toMatchObject({ code: 0 });
    expect(await read(target.replace('s3://test/', ''))).toEqual(indexesOf(mirror));
  }

  /** Is told every event of a publish; true when it is to be killed soon. */
  type Instant = (event: TellingEvent) => boolean;

  async function publishAndKill(
    mirror: string,
    target: string,
    isInstant: Instant,
    delayMs: number,
  ): Promise<'killed' | 'completed'> {
    const child = startCli(['--json', ...publishing(['--bwlimit', '60M', mirror, target])], CEPH_ENV);
    const ended = once(child, 'close');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (isInstant(JSON.parse(line))) setTimeout(() => child.kill('SIGKILL'), delayMs);
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
    await ended;
    clearTimeout(timer);
    if (child.signalCode === 'SIGKILL') return 'killed';
    expect(child.exitCode, said).toBe(0);
    return 'completed';
  }

  /** When more than two parts of a large image have gone, and not all. */
  const amidParts: Instant = ({ type, doneBytes = 0 }) => type === 'job-progress' && doneBytes > 40 * MIB;

  /** Within a large image where there is one to store, or after so many of the things that are to be done. */
  function atRandom(random: () => number): Instant {
    const [share, isAmidParts] = [random(), random() < 0.5];
    let [stepsLeft, hasLarge] = [0, false];
    return ({ type, doneBytes = 0, actions = [] }) => {
      if (type === 'plan') {
        stepsLeft = Math.floor(share * (actions.length + 1));
        hasLarge = actions.some(({ sizeBytes }) => (sizeBytes ?? 0) > MAX_BYTES_AT_ONCE);
        return stepsLeft === 0;
      }
      if (isAmidParts && hasLarge) return type === 'job-progress' && doneBytes > share * MAX_BYTES_AT_ONCE;
      return ['job-finished', 'index-written', 'file-removed'].includes(type) && --stepsLeft === 0;
    };
  }

  test(
    `two at once never lose or mix what they publish, ${rounds} times, and the loser is told who holds the lock`,
    async () => {
      const target = 's3://test/contended';
      for (const mirror of mirrors) await expectCompleted(mirror, target);
      let published = String(mirrors.at(-1));
      let generation = mirrors.length;
      let refused = 0;
      for (let round = 0; round < rounds; round += 1) {
        // Neither has nothing to do, and indexes alone go: slowly, so that whoever has the lock holds it for a while.
        const pair = mirrors.filter((mirror) => mirror !== published).slice(0, 2);
        const slowly = publishing(['--bwlimit', '4K']);
        const children = pair.map((mirror) => startCli(['--json', ...slowly, mirror, target], CEPH_ENV));
        const ends = await Promise.all(children.map(finishedCli));
        const summaries = ends.map(({ stdout }) => lastEvent(stdout));
        for (const [n, { code, stderr, stdout }] of ends.entries()) {
          expect([0, 4], `${stderr}${stdout.slice(-500)}`).toContain(code);
          if (code === 0) continue;
          refused += 1;
          expect(summaries[n]?.error?.message).toContain(`held by process ${children[1 - n]?.pid} on `);
        }
        expect(ends.map(({ code }) => code)).toContain(0);
        generation += summaries.filter((summary) => summary.changed === true).length;
        expect(Math.max(...summaries.map((summary) => summary.generation ?? 0))).toBe(generation);
        const winners = pair.filter((_, n) => ends[n]?.code === 0);
        const seenIndexes = JSON.stringify(await read('contended'));
        const last = winners.find((mirror) => JSON.stringify(indexesOf(mirror)) === seenIndexes);
        expect(last, 'whose indexes readers see').toBeDefined();
        published = String(last);
        expect((await openUploads(ceph)).filter((key) => key.startsWith('contended/'))).toEqual([]);
      }
      expect(refused, 'rounds in which one was kept out').toBeGreaterThanOrEqual(rounds / 2);
      console.log(`${rounds} rounds, in ${refused} of which one publisher was kept out`);
    },
    60_000 + rounds * 30_000,
  );
});

interface TellingEvent {
  readonly type: string;
  readonly doneBytes?: number;
  readonly actions?: readonly { readonly sizeBytes: number | null }[];
}

interface LastEvent {
  readonly changed?: boolean;
  readonly generation?: number | null;
  readonly error?: { readonly message: string };
}

function lastEvent(stdout: string): LastEvent {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}');
}
