import { once } from 'node:events';
import { linkSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { runCli, startCli } from '../cli/run.js';
import { dailyStamps } from '../support/image-name.js';
import { makeImageSeries } from '../support/image-series.js';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { servedTree } from '../support/served-tree.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { expectValidMirror } from './expect-valid-mirror.js';

const kills = Number(process.env.SOAK_KILLS ?? 12);
const seed = process.env.SOAK_SEED ?? '1';
const flags = ['--deltas', 'puavo', '--base-url', 'https://images.example.org'];

/** The members of the program's events that tell how far it is. */
interface ReportedEvent {
  readonly type: string;
  /** Of the plan. */
  readonly actions?: readonly unknown[];
}

describe.skipIf(!haveTools('mksquashfs', 'cksum'))('a build that is killed', () => {
  const folder = temporaryDirectoryOfSuite();
  const imagesDir = join(folder, 'images');
  /** What the image directory holds, one after the other: a series begins, grows, gets company, loses its first image. */
  let scenes: string[][] = [];

  beforeAll(async () => {
    const make = (stem: string, count: number) =>
      makeImageSeries({
        dir: join(folder, 'pool'),
        stem,
        arch: 'amd64',
        stamps: dailyStamps(count),
        compressor: 'gzip',
        seed: stem,
        sizeBytes: 3_000_000,
      });
    const one = await make('puavo-os-one-bookworm', 4);
    const two = await make('puavo-os-two-bookworm', 3);
    scenes = [one.slice(0, 2), one, [...one, ...two], [...one.slice(1), ...two]];
  });

  test(
    `leaves a valid mirror each of ${kills} times (SOAK_SEED=${seed}), and is completed by the next one`,
    async () => {
      const random = pseudoRandomNumbers(seed);
      const mirror = join(folder, 'mirror');
      let scene = 0;
      let killed = 0;
      let published = new Map<string, string>();
      for (let run = 0; killed < kills; run++) {
        expect(run, 'runs that it took').toBeLessThan(20 + kills * 10);
        setScene(scenes[scene] ?? []);
        const ending = await buildAndKill(mirror, random);
        published = await expectValidMirror(mirror, published);
        if (ending === 'killed') killed++;
        else if (++scene === scenes.length) {
          await expectAsFresh(mirror);
          rmSync(mirror, { recursive: true });
          published = new Map();
          scene = 0;
        }
      }
      setScene(scenes.at(-1) ?? []);
      await expectAsFresh(mirror);
    },
    120_000 + kills * 20_000,
  );

  function setScene(images: readonly string[]): void {
    rmSync(imagesDir, { recursive: true, force: true });
    mkdirSync(imagesDir);
    for (const image of images) linkSync(image, join(imagesDir, basename(image)));
  }

  /** Builds, and kills that at a random instant. One that ends before it must have ended well. */
  async function buildAndKill(mirror: string, random: () => number): Promise<'killed' | 'completed'> {
    const child = startCli(['--json', ...flags, imagesDir, mirror]);
    const ended = once(child, 'close');
    const isDue = randomInstant(random);
    const delayMs = random() * random() * 20;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (isDue(JSON.parse(line) as ReportedEvent)) void sleep(delayMs).then(() => child.kill('SIGKILL'));
    });
    if (random() < 0.1) void sleep(random() * 400).then(() => child.kill('SIGKILL')); // while it starts
    child.stderr.resume();
    await ended;
    if (child.signalCode === 'SIGKILL') return 'killed';
    expect(child.exitCode).toBe(0);
    return 'completed';
  }

  /** Builds and prunes undisturbed, and compares what is served with what a build into a fresh mirror serves. */
  async function expectAsFresh(mirror: string): Promise<void> {
    const fresh = join(folder, 'fresh');
    for (const target of [mirror, fresh]) {
      expect(await runCli(['--quiet', ...flags, imagesDir, target])).toMatchObject({ code: 0, stderr: '' });
      expect(await runCli(['prune', '--quiet', '--grace', '0s', target])).toMatchObject({ code: 0 });
      expect(await runCli(['verify', '--deep', '--quiet', target])).toMatchObject({ code: 0 });
    }
    expect(servedTree(mirror)).toEqual(servedTree(fresh));
    rmSync(fresh, { recursive: true });
  }
});

/**
 * Chooses an instant and tells of each event whether it is that one: for a third of the builds one of the indexes, which
 * are written within milliseconds, else any start or end of a job.
 */
function randomInstant(random: () => number): (event: ReportedEvent) => boolean {
  const share = random();
  if (random() < 0.3) {
    let indexes = Math.floor(share * 4);
    return ({ type }) => type === 'index-written' && indexes-- === 0;
  }
  let jobs = Number.POSITIVE_INFINITY;
  return ({ type, actions }) => {
    if (actions !== undefined) jobs = Math.floor(share * 2 * actions.length);
    return (type === 'plan' || type === 'job-started' || type === 'job-finished') && jobs-- === 0;
  };
}
