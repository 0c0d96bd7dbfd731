import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobStartedEvent, RepositoryEvent } from '../../src/events.js';
import { runCli, startCli } from '../cli/run.js';
import { startNginx } from '../peers/nginx.mjs';
import { freePort } from '../peers/server-process.mjs';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import {
  type BuiltMirror,
  buildMirrorOf,
  currentBytes,
  deviceWith,
  partialNames as listPartials,
  versionIn,
} from './support/updates.js';

const kills = Number(process.env.SOAK_KILLS ?? 8);
const seed = process.env.SOAK_SEED ?? '1';
/** An image has its first checkpoint when so much of it is made. */
const CHECKPOINT_BYTES = 64 << 20;
const IMAGE_BYTES = 90_000_000;

describe.skipIf(!haveTools('nginx', 'cksum'))('an update', () => {
  const dir = temporaryDirectoryOfSuite();
  let mirror: BuiltMirror;
  let url = '';
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    mirror = await buildMirrorOf(3, dir, 'neighbours', IMAGE_BYTES);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    stop = await startNginx(dir, port, `server { listen 127.0.0.1:${port}; root ${mirror.root}; }`);
  }, 120_000);
  afterAll(async () => await stop?.());

  test(
    `that is killed at ${kills} instants (SOAK_SEED=${seed}) leaves a whole current image, and the next one fetches what is missing`,
    async () => {
      const random = pseudoRandomNumbers(seed);
      const places = { amidDownload: 0, amidImage: 0, elsewhere: 0 };
      for (let killed = 0, run = 0; killed < kills; run++) {
        expect(run, 'runs that it took').toBeLessThan(30 + kills * 3);
        // Two hops from the oldest image, one from the next, none from nothing.
        const base = [mirror.images[0], mirror.images[1], undefined][run % 3];
        const target = String(mirror.images[2]);
        const device = await deviceWith(join(dir, 'device'), base ?? null);
        const before = base === undefined ? null : readFileSync(base);
        for (let again = true; again; ) {
          const ending = await updateAndKill(device, base === undefined ? '60M' : '2M', random);
          again = ending === 'killed' && random() < 0.5 && killed + 1 < kills;
          if (ending === 'completed') break;
          killed += 1;
          places[placeOf(device)] += 1;
          expectWhole(device, before, readFileSync(target));
        }
        await expectCompleted(device, target);
        rmSync(device, { recursive: true });
      }
      if (kills > 50) for (const count of Object.values(places)) expect(count).toBeGreaterThan(0);
      console.log(`${kills} kills: ${JSON.stringify(places)}`);
    },
    60_000 + kills * 20_000,
  );

  /** Deltas are so small that they are let come slowly, or no kill would meet an image that is being made. */
  async function updateAndKill(device: string, rate: string, random: () => number): Promise<'killed' | 'completed'> {
    const child = startCli(['--json', 'update', '--rate-limit', rate, url, device]);
    const ended = once(child, 'close');
    const isTime = aimedAt(random);
    const kill = () => child.kill('SIGKILL');
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (isTime(JSON.parse(line))) void sleep(random() * 200).then(kill);
    });
    if (random() < 0.1) void sleep(random() * 300).then(kill);
    child.stderr.resume();
    await ended;
    if (child.signalCode === 'SIGKILL') return 'killed';
    expect(child.exitCode).toBe(0);
    return 'completed';
  }

  /** What is there already does not come again: of a download all of it, of an image what the last checkpoint counts. */
  async function expectCompleted(device: string, target: string): Promise<void> {
    const keptBytes = keptBytesIn(device);
    const { stdout, code } = await runCli(['--json', 'update', url, device]);
    expect(code, stdout).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const summary = events.find(({ type }) => type === 'update-summary');
    const plan = events.find(({ type }) => type === 'path-plan')?.paths[0];
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    if (plan === undefined) return; // It was current already.
    const sizes = plan.hops.map(({ sizeBytes }: { sizeBytes: number }) => sizeBytes);
    const allBytes = sizes.reduce((sum: number, bytes: number) => sum + bytes, 0);
    expect(summary.fetchedBytes).toBe(summary.plannedBytes);
    expect(summary.fetchedBytes).toBeLessThanOrEqual(Math.max(0, allBytes - keptBytes));
    expect(summary.to).toBe(versionIn(target));
    expect(listPartials(device)).toEqual([]);
  }
});

/** Tells when to kill: after any event, amid any file that is fetched or made, or where an image has a checkpoint. */
function aimedAt(random: () => number): (event: RepositoryEvent) => boolean {
  const [aim, share] = [['event', 'file', 'image'][Math.floor(random() * 3)], random()];
  let eventsLeft = Math.floor(share * 25);
  let started: JobStartedEvent | null = null;
  return (event) => {
    if (event.type === 'job-started') started = event;
    if (aim === 'event') return eventsLeft-- === 0;
    if (event.type !== 'job-progress' || started === null) return false;
    const atByte = share * started.totalBytes;
    if (aim === 'file') return event.doneBytes >= atByte;
    return started.kind === 'patch' && event.doneBytes >= Math.max(CHECKPOINT_BYTES, atByte);
  };
}

function expectWhole(device: string, before: Buffer | null, after: Buffer): void {
  if (!existsSync(join(device, 'current'))) {
    expect(before).toBeNull();
    return;
  }
  const now = currentBytes(device);
  expect(now.equals(after) || (before !== null && now.equals(before))).toBe(true);
}

/** What a kill met: a file that was being fetched, an image that was being made, or anything else. */
function placeOf(device: string): 'amidDownload' | 'amidImage' | 'elsewhere' {
  const kinds = recordsOf(device).map(({ kind }) => kind);
  if (kinds.includes('patch')) return 'amidImage';
  return kinds.length > 0 ? 'amidDownload' : 'elsewhere';
}

function keptBytesIn(device: string): number {
  return recordsOf(device).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What is in `partial/`, with the bytes that are of use. */
function recordsOf(device: string): { kind: string; bytes: number }[] {
  const partial = join(device, '.update-repository', 'partial');
  if (!existsSync(partial)) return [];
  return listPartials(device)
    .filter((name) => name.endsWith('.json') && existsSync(join(partial, name.slice(0, -'.json'.length))))
    .map((name) => {
      const record = JSON.parse(readFileSync(join(partial, name), 'utf8'));
      const { size } = statSync(join(partial, name.slice(0, -'.json'.length)));
      return { kind: record.kind, bytes: record.kind === 'patch' ? record.checkpoint.deltaBytes : size };
    });
}
