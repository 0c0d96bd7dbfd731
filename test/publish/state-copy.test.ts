import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneStorage } from '../../src/publish/prune-storage.js';
import { readRemote } from '../../src/publish/remote.js';
import { rollBack } from '../../src/publish/rollback.js';
import { stateCopyOf } from '../../src/publish/state-copy.js';
import type { Storage } from '../../src/publish/storage.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { withFaults } from './support/faults.js';
import { MemoryStorage } from './support/memory-storage.js';
import { defaults, publishTo, readAll, releaseOf } from './support/releases.js';

const STATE = '.update-repository/published.json';
const folder = temporaryDirectoryOfSuite();
let mirrors = 0;

/** A mirror's directory, for its private memory alone, and how it is published from there. */
function mirror() {
  const dir = join(folder, String(++mirrors));
  const copies = join(dir, '.update-repository', 'published');
  return {
    copies,
    file: () => join(copies, String(readdirSync(copies)[0])),
    async publish(storage: Storage, names: readonly string[], options: { dryRun?: boolean } = {}) {
      const calls: string[] = [];
      const seen = withFaults(storage, (_, method, path) => {
        calls.push(`${method} ${path}`);
        return null;
      });
      const { summary } = await publishTo(seen, releaseOf(names), { copy: stateCopyOf(dir, storage), ...options });
      return { summary, calls };
    },
  };
}

const LISTED_ONLY = ['list '];
const READ = ['list ', `read ${STATE}`, `stat ${STATE}`];

test('a publish of nothing new is one listing, where this mirror was published last', async () => {
  const [storage, { publish }] = [new MemoryStorage(), mirror()];
  await publish(storage, ['a.img']);
  const { summary, calls } = await publish(storage, ['a.img']);
  expect(calls).toEqual(LISTED_ONLY);
  expect(summary).toMatchObject({ changed: false, generation: 1, kept: 5 });
});

test('what somebody else published is noticed, and known from then on', async () => {
  const [storage, here, there] = [new MemoryStorage(), mirror(), mirror()];
  await here.publish(storage, ['a.img']);
  await there.publish(storage, ['a.img', 'b.img']);
  expect((await here.publish(storage, ['a.img', 'b.img'])).calls).toEqual(READ);
  const { summary, calls } = await here.publish(storage, ['a.img', 'b.img']);
  expect(calls).toEqual(LISTED_ONLY);
  expect(summary).toMatchObject({ changed: false, generation: 2 });
  expect((await here.publish(storage, ['a.img'])).summary).toMatchObject({ changed: true, generation: 3 });
  expect(readAll(storage)).toEqual([]);
});

test('a state that is replaced between the listing and its download is not taken for the listed one', async () => {
  const [storage, { publish }] = [new MemoryStorage(), mirror()];
  await publish(storage, ['a.img']);
  const listed = storage.objects.get(STATE)!;
  const copy = stateCopyOf(join(folder, 'racing'), storage);
  const racing = withFaults(storage, () => null);
  const replaced: Storage = {
    ...racing,
    async read(path, call) {
      await publish(storage, ['b.img']);
      return await racing.read(path, call);
    },
  };
  const { state } = await readRemote(replaced, { signal: new AbortController().signal }, copy);
  expect(state.generations[0]?.number).toBe(2);
  expect(await copy.read(listed)).toBeNull();
});

const damages: readonly [string, (file: string) => void][] = [
  ['is empty', (file) => writeFileSync(file, '')],
  ['is cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, -20))],
  ['has another byte', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('a.img', 'e.img'))],
  ['is of another revision', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"revision":"', '$&x'))],
  ['is no text', (file) => writeFileSync(file, Buffer.alloc(100, 0xff))],
  [
    'is a directory',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
];

test.each(damages)('a copy that %s is none', async (_, damage) => {
  const [storage, here] = [new MemoryStorage(), mirror()];
  await here.publish(storage, ['a.img']);
  damage(here.file());
  const { summary, calls } = await here.publish(storage, ['a.img']);
  expect(calls).toEqual(READ);
  expect(summary).toMatchObject({ changed: false, generation: 1 });
});

test('a copy is of one place only, also where another has the same name and revision', async () => {
  const [storage, here] = [new MemoryStorage(), mirror()];
  await here.publish(storage, ['a.img']);
  const elsewhere = Object.assign(Object.create(storage) as MemoryStorage, {
    place: 'https://other.example memory://',
  });
  expect((await here.publish(elsewhere, ['a.img'])).calls).toEqual(READ);
  const [one = '', two = ''] = readdirSync(here.copies).map((name) => join(here.copies, name));
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    cpSync(from, to);
    const calls = [await here.publish(storage, ['a.img']), await here.publish(elsewhere, ['a.img'])].map(
      (run) => run.calls,
    );
    expect(calls).toContainEqual(READ);
    expect(calls).toContainEqual(LISTED_ONLY);
  }
});

test('a dry run and a mirror that cannot be written keep none, and work', async () => {
  const [storage, other, here] = [new MemoryStorage(), mirror(), mirror()];
  await other.publish(storage, ['a.img']);
  expect((await here.publish(storage, ['a.img'], { dryRun: true })).summary).toMatchObject({ changed: false });
  expect(existsSync(here.copies)).toBe(false);
  mkdirSync(join(here.copies, '..'), { recursive: true });
  writeFileSync(here.copies, 'in the way');
  for (let time = 0; time < 2; time += 1) {
    expect((await here.publish(storage, ['a.img'])).summary).toMatchObject({ changed: false, generation: 1 });
  }
  expect((await here.publish(storage, ['a.img', 'b.img'])).summary).toMatchObject({ changed: true, generation: 2 });
});

test('going back and pruning are noticed by who has a copy', async () => {
  const [storage, { publish }] = [new MemoryStorage(), mirror()];
  for (const name of ['a.img', 'b.img', 'c.img']) await publish(storage, [name]);
  await pruneStorage({ ...defaults(storage), graceMs: 0 });
  expect(storage.objects.has('a.img')).toBe(false);
  expect((await publish(storage, ['c.img'])).summary).toMatchObject({ changed: false, generation: 3 });
  expect(await rollBack(defaults(storage))).toMatchObject({ generation: 4 });
  const { summary } = await publish(storage, ['b.img']);
  expect(summary).toMatchObject({ changed: false, generation: 4 });
  expect((await publish(storage, ['a.img'])).summary).toMatchObject({ changed: true, generation: 5 });
  expect(readAll(storage)).toEqual([]);
});
