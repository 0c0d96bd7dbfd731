import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Passphrase, refreshMirror, setChannel } from 'update-repository';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCli } from '../cli/run.js';
import { filesOf, versionIn } from '../client/support/updates.js';
import { evenly, type Instant } from '../support/kill-instants.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { killCliAt, observeCli } from '../support/traced-cli.js';
import { quickKeys } from '../trust/support/quick-keys.js';
import { type SeenState, seeState, underRootOf } from '../trust/tuf/support/seen-state.js';
import { addImages, build, dayImage, makeWorkshop, type Workshop } from './support/workshop.js';

/** Of each of the nine. */
const kills = Math.ceil(Number(process.env.SOAK_KILLS ?? 9) / 9);
const seed = process.env.SOAK_SEED ?? '1';

const PHRASE = 'a phrase';
const env = { UPDATE_REPOSITORY_PASSPHRASE: PHRASE };
const DAY_MS = 86_400_000;
/** Metadata is written last: five calls a file, of ten files at most. What comes before is for other tests. */
const LAST_CALLS = 60;

/** A mirror, and the keys beside it. */
interface World {
  readonly mirror: string;
  readonly keys: string;
}

interface Action {
  readonly name: string;
  /**
   * What there is before: a mirror of two images, and whether it is signed, or was so long ago that something is due, or is
   * signed by a key of timestamp that is lost, or has a channel.
   */
  readonly start: 'unsigned' | 'signed' | 'due' | 'lost' | 'channel';
  /** How many images there are to be built of. */
  readonly images: 2 | 3;
  readonly args: (world: World, images: string) => string[];
  /** Whether clients may refuse a new root by the old timestamp: nobody has the old key to sign the new one. */
  readonly mayRefuse?: boolean;
  /** Whether the next build takes back what was not done in full, so that versions are higher when it is done once more. */
  readonly isTakenBack?: boolean;
}

const buildSigned = ({ mirror, keys }: World, images: string) => ['--quiet', '--sign', keys, images, mirror];

const actions: readonly Action[] = [
  { name: 'the first build --sign', start: 'unsigned', images: 2, args: buildSigned },
  { name: 'a build --sign of a new image', start: 'due', images: 3, args: buildSigned },
  {
    name: 'a refresh',
    start: 'due',
    images: 2,
    args: ({ mirror, keys }) => ['refresh', '--quiet', '--sign', keys, mirror],
  },
  { name: 'a rotation of the key of series', start: 'signed', images: 2, args: rotation('series') },
  { name: 'a rotation of the key of timestamp', start: 'signed', images: 2, args: rotation('timestamp') },
  { name: 'a rotation of the key of targets', start: 'signed', images: 2, args: rotation('targets') },
  {
    name: 'a rotation of the lost key of timestamp',
    start: 'lost',
    images: 2,
    args: rotation('timestamp'),
    mayRefuse: true,
  },
  {
    name: 'a channel that is set to another version',
    start: 'channel',
    images: 2,
    args: ({ mirror }) => ['channel', 'set', '--quiet', mirror, 'stable', versionIn(dayImage(2))],
  },
  {
    name: 'a channel that is removed',
    start: 'channel',
    images: 2,
    args: ({ mirror }) => ['channel', 'remove', '--quiet', mirror, 'stable'],
    isTakenBack: true,
  },
];

function rotation(role: string): Action['args'] {
  return ({ mirror, keys }) => ['key', 'rotate', '--quiet', '--role', role, '--mirror', mirror, keys];
}

// The program is killed by strace as it enters a chosen system call. What clients then see, both one who knows the first root
// alone and one who has been there before, is asked of tuf-js.
describe.skipIf(!haveTools('strace', 'cksum')).each(actions)('$name', (action) => {
  const { start, images, args, mayRefuse = false, isTakenBack = false } = action;
  const folder = temporaryDirectoryOfSuite();
  const startDir = join(folder, 'start');
  const world = { mirror: join(folder, 'world', 'mirror'), keys: join(folder, 'world', 'keys') };
  const imagesDir = join(folder, `images-${images}`);
  let [before, after]: [SeenState | null, SeenState | null] = [null, null];
  let instants: Instant[] = [];

  beforeAll(async () => {
    await makeStart(folder, startDir, start);
    copyStart();
    before = await see(join(folder, 'known'));
    instants = await observeCli(join(folder, 'strace.log'), args(world, imagesDir), env);
    after = await see(join(folder, 'after'));
    expect(after).not.toEqual(before);
  }, 120_000);
  afterEach(() => {
    vi.useRealTimers();
  });

  test(
    `that is killed at ${kills} instants (SOAK_SEED=${seed}) leaves the old state or the new one, and is completed by the next build`,
    async () => {
      const found = { old: 0, new: 0, refused: 0 };
      const chosen = evenly(instants.slice(-LAST_CALLS), kills, seed);
      for (const instant of chosen) {
        const where = `killed at ${instant.call} ${instant.count}`;
        copyStart();
        const devices = { fresh: join(folder, 'fresh'), known: join(folder, 'known-too') };
        for (const device of Object.values(devices)) rmSync(device, { recursive: true, force: true });
        if (before !== null) execFileSync('cp', ['-a', join(folder, 'known'), devices.known]);
        await killCliAt(instant, args(world, imagesDir), env);
        for (const device of Object.values(devices)) {
          const seen = mayRefuse && isAmidRoot() ? await expectRefused(device) : await see(device);
          if (seen !== 'refused') expect([before, after, ...underOldRoot()], where).toContainEqual(seen);
          found[seen === 'refused' ? 'refused' : isSame(seen, before) ? 'old' : 'new'] += 1;
        }
        await complete(where);
        for (const device of Object.values(devices)) {
          const seen = await see(device);
          expect(isTakenBack ? seen?.targets : seen, where).toEqual(isTakenBack ? after?.targets : after);
        }
      }
      console.log(`${chosen.length} kills of ${instants.length} instants, seen by two: ${JSON.stringify(found)}`);
    },
    120_000 + kills * 30_000,
  );

  /** The next build; and what was not begun, a rotation, is given once more. */
  async function complete(where: string): Promise<void> {
    expect(await runCli(buildSigned(world, imagesDir), env), where).toMatchObject({ code: 0, stderr: '' });
    // A device that was there after another kill has seen files of the same versions with other bytes.
    const device = join(folder, 'after-build');
    rmSync(device, { recursive: true, force: true });
    if (isSame(await see(device), after)) return;
    expect(await runCli(args(world, imagesDir), env), where).toMatchObject({ code: 0, stderr: '' });
  }

  /** Null where there is no metadata yet. */
  async function see(device: string): Promise<SeenState | null> {
    const files = filesOf({ root: world.mirror, images: [] });
    return files.has('metadata/timestamp.json') ? await seeState(device, files) : null;
  }

  /** The new state before its root is there. */
  function underOldRoot(): SeenState[] {
    return before === null || after === null ? [] : [underRootOf(after, before)];
  }

  function isAmidRoot(): boolean {
    const metadata = join(world.mirror, 'metadata');
    const timestamp = (mirror: string) => readFileSync(join(mirror, 'metadata', 'timestamp.json'), 'utf8');
    return existsSync(join(metadata, '2.root.json')) && timestamp(world.mirror) === timestamp(join(startDir, 'mirror'));
  }

  async function expectRefused(device: string): Promise<'refused'> {
    await expect(see(device)).rejects.toThrow(/timestamp was signed by 0\/1 keys/);
    return 'refused';
  }

  function copyStart(): void {
    rmSync(join(folder, 'world'), { recursive: true, force: true });
    execFileSync('cp', ['-al', startDir, join(folder, 'world')]);
  }
});

/** Keys, and a mirror of two images, in `dir`; what is due of it is so by now. Three images are in `images-3`. */
async function makeStart(folder: string, dir: string, start: Action['start']): Promise<void> {
  const workshop: Workshop = { ...(await makeWorkshop(2, { folder })), mirrorDir: join(dir, 'mirror') };
  await addImages({ folder, imagesDir: join(folder, 'images-3') }, [3]);
  mkdirSync(join(folder, 'images-2'));
  for (const to of ['images-2', 'images-3']) {
    for (const day of [1, 2]) linkSync(join(workshop.imagesDir, dayImage(day)), join(folder, to, dayImage(day)));
  }
  await build(workshop);
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: start === 'due' ? now - 16 * DAY_MS : now });
  const keys = join(dir, 'keys');
  const passphrase = new Passphrase(PHRASE, 'the test');
  const ring = await quickKeys(keys, passphrase);
  if (start !== 'unsigned') await build(workshop, { sign: ring });
  for (const { file } of start === 'lost' ? ring.ofRole('timestamp') : []) forgetPrivate(file);
  if (start === 'channel') {
    const channel = { name: 'stable', version: versionIn(dayImage(1)), breakLock: false, onEvent: () => undefined };
    await setChannel({ mirrorDir: workshop.mirrorDir, ring, ...channel });
  }
  vi.setSystemTime(now - 5 * DAY_MS);
  const { mirrorDir } = workshop;
  if (start === 'due')
    await refreshMirror({
      mirrorDir,
      ring,
      breakLock: false,
      signal: new AbortController().signal,
      onEvent: () => undefined,
    });
  vi.useRealTimers();
}

/** Leaves the public half of a key in its file. */
function forgetPrivate(file: string): void {
  const { private: _, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(rest));
}

function isSame(one: SeenState | null, other: SeenState | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
