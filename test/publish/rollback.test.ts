import { expect, test } from 'vitest';
import { pruneStorage } from '../../src/publish/prune-storage.js';
import { bytesObject, textObject } from '../../src/publish/release.js';
import { rollBack } from '../../src/publish/rollback.js';
import type { Storage } from '../../src/publish/storage.js';
import { withFaults } from './support/faults.js';
import { MemoryStorage } from './support/memory-storage.js';
import { defaults, publishTo, readAll, releaseOf, visible } from './support/releases.js';

const prune = (storage: Storage, graceMs: number, dryRun = false) =>
  pruneStorage({ ...defaults(storage), graceMs, dryRun });

function indexText(storage: MemoryStorage): string | undefined {
  return storage.objects.get('CKSUMS')?.bytes.toString();
}

test('a rollback gives readers the indexes of before, as a new generation, and can itself be rolled back', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img'], ['meta/a.json', 'meta/b.json']));
  const before = indexText(storage);
  await publishTo(storage, releaseOf(['b.img']));
  const after = indexText(storage);
  expect(await rollBack(defaults(storage))).toMatchObject({ generation: 3, uploaded: 5, changed: true });
  expect(indexText(storage)).toBe(before);
  expect(visible(storage)).toContain('meta/b.json');
  expect(storage.objects.get('meta/b.json')).toMatchObject({ mediaType: 'application/json' });
  expect(readAll(storage)).toEqual([]);
  expect(await rollBack(defaults(storage))).toMatchObject({ generation: 4 });
  expect(indexText(storage)).toBe(after);
  expect(visible(storage)).not.toContain('meta/b.json');
});

test('a rollback brings back an index that is no text, byte for byte', async () => {
  const storage = new MemoryStorage();
  const signed = (name: string, bytes: Uint8Array) => {
    const release = releaseOf([name]);
    return { ...release, indexStages: [...release.indexStages, [bytesObject('list.gpg', bytes, 'application/x')]] };
  };
  await publishTo(storage, signed('a.img', Buffer.of(0x88, 0xff, 0xfe, 0)));
  await publishTo(storage, signed('b.img', Buffer.of(0x88, 1)));
  await rollBack(defaults(storage));
  expect(storage.objects.get('list.gpg')?.bytes).toEqual(Buffer.of(0x88, 0xff, 0xfe, 0));
});

test('a rollback stores a list and its signatures at once, one list after the other', async () => {
  class RecordingStorage extends MemoryStorage {
    readonly log: string[] = [];

    override async put(...args: Parameters<MemoryStorage['put']>) {
      const [{ path }] = args;
      this.log.push(`${path} begins`);
      const stored = await super.put(...args);
      this.log.push(`${path} ends`);
      return stored;
    }
  }
  const storage = new RecordingStorage();
  const signed = (name: string) => {
    const release = releaseOf([name]);
    const beside = (path: string) => textObject(path, `signature for ${name}`, 'text/plain');
    const withSignatures = (path: string) => ['.gpg', '.asc'].map((suffix) => beside(`${path}${suffix}`));
    const indexStages = release.indexStages.map((stage) => stage.flatMap((one) => [one, ...withSignatures(one.path)]));
    return { ...release, indexStages: [[beside('KEY.gpg')], ...indexStages] };
  };
  await publishTo(storage, signed('a.img'));
  await publishTo(storage, signed('b.img'));
  storage.log.length = 0;
  await rollBack(defaults(storage));
  const served = storage.log.filter((line) => !line.startsWith('.update-repository/'));
  const lists = ['meta/a.json', 'CKSUMS', 'SHA256SUMS', 'index.json'];
  const groups = [['KEY.gpg'], ...lists.map((path) => [path, `${path}.asc`, `${path}.gpg`])];
  for (const group of groups) {
    const lines = served.splice(0, 2 * group.length);
    expect(lines.slice(0, group.length).sort()).toEqual(group.map((path) => `${path} begins`));
    expect(lines.slice(group.length).sort()).toEqual(group.map((path) => `${path} ends`));
  }
  expect(served).toEqual([]);
});

test('a rollback is refused where there is nothing before, or what it names is gone or changed', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img']));
  await expect(rollBack(defaults(storage))).rejects.toMatchObject({ code: 'CONFIG' });
  await publishTo(storage, releaseOf(['b.img']));
  storage.objects.delete('a.img');
  await expect(rollBack(defaults(storage))).rejects.toMatchObject({ code: 'VERIFICATION', data: { path: 'a.img' } });
  expect(readAll(storage)).toEqual([]);
});

test('prune removes what no remembered generation names, once its grace period is over', async () => {
  const storage = new MemoryStorage();
  for (const name of ['a.img', 'b.img', 'c.img']) await publishTo(storage, releaseOf([name]));
  expect(visible(storage)).toContain('a.img');
  expect(await prune(storage, 3_600_000)).toMatchObject({ removed: 1, waiting: 1 });
  expect(visible(storage)).toContain('a.img');
  expect(await prune(storage, 0, true)).toMatchObject({ dryRun: true, removed: 1, waiting: 0 });
  expect(visible(storage)).toContain('a.img');
  expect(await prune(storage, 0)).toMatchObject({ removed: 1, waiting: 0 });
  expect(visible(storage)).not.toContain('a.img');
  expect(visible(storage)).toContain('b.img');
  expect(await rollBack(defaults(storage))).toMatchObject({ generation: 4 });
  expect(readAll(storage)).toEqual([]);
  expect(await prune(storage, 0)).toMatchObject({ removed: 0, waiting: 0 });
});

test('prune removes what a publish that was never completed left, and never what others put there', async () => {
  const storage = new MemoryStorage();
  const call = { signal: new AbortController().signal };
  await publishTo(storage, releaseOf(['a.img']));
  const foreign = { ...releaseOf(['theirs.img']).immutables[0]!, cacheControl: '' };
  await storage.put(foreign, call);
  const broken = withFaults(storage, (_, method, path) => (method === 'put' && path === 'CKSUMS' ? 'fail' : null));
  await expect(publishTo(broken, releaseOf(['b.img']))).rejects.toMatchObject({ code: 'NETWORK' });
  await publishTo(storage, releaseOf(['c.img']));
  expect(visible(storage)).toContain('b.img');
  await prune(storage, 0);
  expect(visible(storage)).not.toContain('b.img');
  expect(visible(storage)).toEqual(expect.arrayContaining(['a.img', 'c.img', 'theirs.img']));
});

test('prune leaves what the indexes of a publish name that was killed before its end', async () => {
  const storage = new MemoryStorage();
  for (const name of ['old.img', 'a.img', 'b.img']) await publishTo(storage, releaseOf([name]));
  // `old.img` left the generations before, and comes back: nothing is stored for it.
  for (const killedAt of ['CKSUMS', 'index.json', '.update-repository/published.json']) {
    let states = 0;
    const killed = withFaults(storage, (_, method, path) => {
      states += method === 'put' && path === '.update-repository/published.json' ? 1 : 0;
      const isTheOne = path === killedAt && (path !== '.update-repository/published.json' || states === 2);
      return method === 'put' && isTheOne ? 'fail' : null;
    });
    const failed = publishTo(killed, releaseOf(['old.img', 'c.img'], ['meta/a.json', 'meta/new.json']));
    await expect(failed).rejects.toMatchObject({ code: 'NETWORK' });
    await prune(storage, 0);
    expect(readAll(storage)).toEqual([]);
    expect(visible(storage)).toEqual(expect.arrayContaining(['old.img', 'c.img', 'meta/new.json']));
  }
  await publishTo(storage, releaseOf(['b.img']));
  expect(visible(storage)).not.toContain('meta/new.json');
  expect(readAll(storage)).toEqual([]);
  await prune(storage, 3_600_000);
  expect(visible(storage)).toContain('c.img');
});

test('a publish that only repairs leaves the generation before to go back to', async () => {
  const storage = new MemoryStorage();
  const call = { signal: new AbortController().signal };
  await publishTo(storage, releaseOf(['a.img']));
  const before = indexText(storage);
  await publishTo(storage, releaseOf(['a.img', 'b.img']));
  for (const path of ['a.img', 'CKSUMS']) {
    await storage.put({ ...releaseOf(['x']).immutables[0]!, path, cacheControl: '' }, call);
  }
  expect((await publishTo(storage, releaseOf(['a.img', 'b.img']))).summary).toMatchObject({
    changed: true,
    generation: 2,
  });
  expect(readAll(storage)).toEqual([]);
  expect(await rollBack(defaults(storage))).toMatchObject({ generation: 3 });
  expect(indexText(storage)).toBe(before);
  expect(readAll(storage)).toEqual([]);
});

test('prune is refused where nothing was published', async () => {
  await expect(prune(new MemoryStorage(), 0)).rejects.toMatchObject({ code: 'CONFIG' });
});
