import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyRing, Passphrase } from 'update-repository';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { rotateKey } from '../../src/images/mirror-keys.js';
import { LOCK_PATH } from '../../src/publish/lease.js';
import { finishedCli, runCli, startCli } from '../cli/run.js';
import { filesOf } from '../client/support/updates.js';
import { addImages, build, makeWorkshop } from '../images/support/workshop.js';
import { startPlainPut } from '../peers/plain-put.mjs';
import { evenly } from '../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { killCliAt, observeCli } from '../support/traced-cli.js';
import { quickKeys } from '../trust/support/quick-keys.js';
import { type SeenState, seeState, underRootOf } from '../trust/tuf/support/seen-state.js';
import { startFaultyProxy } from './support/faulty-proxy.js';

/** Of each of the six. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 12) / 6);
const seed = process.env.SOAK_SEED ?? '1';

/** Where a mirror is published to. */
interface Place {
  /** As the command line has it. */
  readonly target: string;
  readonly files: () => ReadonlyMap<string, Buffer>;
  /** Makes it as it was when this was called first. */
  readonly restore: () => void;
  /** Publishes undisturbed, and gives as many kills as there may be, each with a name. */
  readonly observe: (mirror: string) => Promise<readonly Kill[]>;
}

interface Kill {
  readonly where: string;
  readonly publish: (mirror: string) => Promise<void>;
}

// What clients then see, both one who knows the first root alone and one who has been there before, is asked of tuf-js.
describe.skipIf(!haveTools('strace', 'cksum')).each([
  { name: 'a new image and another key of series', role: 'series', mayRefuse: false },
  { name: 'a new image and another key of timestamp', role: 'timestamp', mayRefuse: false },
  // What was built since is signed by the new key alone.
  { name: 'another key of timestamp and a new image since', role: 'timestamp', mayRefuse: true },
] as const)('a publish of $name', ({ role, mayRefuse }) => {
  const folder = temporaryDirectoryOfSuite();
  const [one, two, mirror] = ['one', 'two', 'mirror'].map((name) => join(folder, name)) as [string, string, string];

  beforeAll(async () => {
    const workshop = { ...(await makeWorkshop(2, { folder })), mirrorDir: mirror };
    const keys = join(folder, 'keys');
    const passphrase = new Passphrase('a phrase', 'the test');
    const ring = await quickKeys(keys, passphrase);
    await build(workshop, { sign: ring });
    copyTree(mirror, one);
    const rotate = () => rotateKey({ mirrorDir: mirror, ring, onEvent: () => undefined }, { role, keyid: null }, null);
    if (mayRefuse) await rotate();
    await addImages(workshop, [3]);
    await build(workshop, { sign: await KeyRing.open(keys, passphrase) });
    if (!mayRefuse) await rotate();
    copyTree(mirror, two);
  }, 120_000);

  test.each([
    { name: 'into a directory', open: async () => directoryPlace(folder) },
    { name: 'to a server that takes PUT', open: putPlace },
  ])(
    `$name that is killed at ${kills} instants (SOAK_SEED=${seed}) leaves the old state or the new one, and is completed by the next one`,
    async ({ open }) => {
      const place = await open();
      await publish(one, place);
      place.restore();
      const known = join(folder, 'known');
      rmSync(known, { recursive: true, force: true });
      const before = await seeState(known, place.files());
      copyTree(two, mirror);
      const all = await place.observe(mirror);
      const after = await seeState(join(folder, 'after'), place.files());
      expect(after).not.toEqual(before);
      const found = { old: 0, new: 0, refused: 0 };
      const chosen = evenly(all, kills, seed);
      for (const { where, publish: publishAndDie } of chosen) {
        place.restore();
        copyTree(two, mirror);
        const devices = ['fresh', 'known-too'].map((name) => join(folder, name)) as [string, string];
        for (const device of devices) rmSync(device, { recursive: true, force: true });
        execFileSync('cp', ['-a', known, devices[1]]);
        await publishAndDie(mirror);
        for (const device of devices) {
          const seen = mayRefuse ? await seeAmidRoot(place, device) : await seeState(device, place.files());
          if (seen !== 'refused') expect([before, after, underRootOf(after, before)], where).toContainEqual(seen);
          found[seen === 'refused' ? 'refused' : isSame(seen, before) ? 'old' : 'new'] += 1;
        }
        await publish(mirror, place);
        for (const device of devices) expect(await seeState(device, place.files()), where).toEqual(after);
      }
      console.log(`${chosen.length} kills of ${all.length} instants, seen by two: ${JSON.stringify(found)}`);
    },
    120_000 + kills * 30_000,
  );
});

async function publish(mirror: string, { target }: Place): Promise<void> {
  expect(await runCli(['publish', '--quiet', mirror, target])).toMatchObject({ code: 0, stderr: '' });
}

/** A new root that is there without its timestamp has clients refuse the one by the other, and mix nothing. */
async function seeAmidRoot(place: Place, device: string): Promise<SeenState | 'refused'> {
  try {
    return await seeState(device, place.files());
  } catch (error) {
    expect(place.files().has('metadata/2.root.json')).toBe(true);
    expect(String(error)).toMatch(/timestamp was signed by 0\/1 keys/);
    return 'refused';
  }
}

/** strace kills the program as it enters a chosen system call. */
function directoryPlace(folder: string): Place {
  const [www, saved] = [join(folder, 'www'), join(folder, 'www-before')];
  const args = (mirror: string) => ['publish', '--quiet', mirror, www];
  let isSaved = false;
  return {
    target: www,
    files: () => filesOf({ root: www, images: [] }),
    restore() {
      copyTree(...(isSaved ? ([saved, www] as const) : ([www, saved] as const)));
      isSaved = true;
    },
    async observe(mirror) {
      const instants = await observeCli(join(folder, 'strace.log'), args(mirror));
      return instants.map((instant) => ({
        where: `killed at ${instant.call} ${instant.count}`,
        publish: (mirror) => killCliAt(instant, args(mirror)),
      }));
    },
  };
}

/** The program is killed as it makes a chosen request, which the server does not get. */
async function putPlace(): Promise<Place> {
  const { url, objects, stop } = await startPlainPut({ conditions: true });
  onTestFinished(stop);
  const proxy = await startFaultyProxy(url, () => 0.5);
  let saved: Map<string, { bytes: Buffer; etag: string; lastModified: string }> | null = null;
  const publishTo = async (mirror: string, onRequest: (n: number, kill: () => void) => boolean) => {
    const child = startCli(['publish', '--quiet', mirror, proxy.url]);
    proxy.faultOf = (n) => {
      return onRequest(n, () => child.kill('SIGKILL')) ? 'reset' : null;
    };
    await finishedCli(child);
    proxy.faultOf = () => null;
    // Others of its requests may be on their way still.
    await sleep(50);
    // It would run out by itself, minutes later.
    objects.delete(LOCK_PATH);
    return child;
  };
  return {
    target: proxy.url,
    files: () => new Map([...objects].map(([path, { bytes }]) => [path, bytes])),
    restore() {
      saved ??= new Map(objects);
      objects.clear();
      for (const [path, object] of saved) objects.set(path, object);
    },
    async observe(mirror) {
      let requests = 0;
      const { exitCode } = await publishTo(mirror, (n) => {
        requests = n + 1;
        return false;
      });
      expect(exitCode).toBe(0);
      return Array.from({ length: requests }, (_, at) => ({
        where: `killed at request ${at}`,
        async publish(mirror) {
          const { signalCode } = await publishTo(mirror, (n, kill) => {
            if (n === at) kill();
            return n === at;
          });
          expect(signalCode, `request ${at} of ${requests}`).toBe('SIGKILL');
        },
      }));
    },
  };
}

function copyTree(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  execFileSync('cp', ['-al', from, to]);
}

function isSame(one: SeenState, other: SeenState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
