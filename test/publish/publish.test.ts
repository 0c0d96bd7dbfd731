import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import { LOCK_PATH } from '../../src/publish/lease.js';
import { textObject } from '../../src/publish/release.js';
import { STATE_PATH } from '../../src/publish/remote-state.js';
import { withRetries } from '../../src/publish/retry.js';
import { propertyRuns } from '../delta/support/properties.js';
import { type Fault, withFaults } from './support/faults.js';
import { MemoryStorage } from './support/memory-storage.js';
import { publishTo, readAll, releaseOf, visible } from './support/releases.js';

test('a first publish stores everything, with the cache rules that clients and proxies need', async () => {
  const storage = new MemoryStorage();
  const { summary } = await publishTo(storage, releaseOf(['a.img', 'b.img']));
  expect(visible(storage)).toEqual(['CKSUMS', 'SHA256SUMS', 'a.img', 'b.img', 'index.json', 'meta/a.json']);
  expect(storage.objects.get('a.img')?.cacheControl).toBe('public, max-age=31536000, immutable');
  expect(storage.objects.get('CKSUMS')?.cacheControl).toBe('no-cache');
  expect(storage.objects.get('meta/a.json')).toMatchObject({ cacheControl: 'no-cache', mediaType: 'application/json' });
  expect(summary).toMatchObject({ changed: true, generation: 1, uploaded: 6, kept: 0, foreign: 0 });
});

test('indexes are stored after what they name, stage by stage, and the memory of it last', async () => {
  const memory = new MemoryStorage();
  const order: string[] = [];
  const storage = withFaults(memory, (_, method, path) => {
    if (method === 'put' && path !== LOCK_PATH && !path.includes('/indexes/')) order.push(path);
    return null;
  });
  await publishTo(storage, releaseOf(['a.img', 'b.img'], ['meta/a.json', 'meta/b.json']));
  expect(order[0]).toBe('.update-repository/published.json');
  expect(order.slice(1, 3).sort()).toEqual(['a.img', 'b.img']);
  expect(order.slice(3, 5).sort()).toEqual(['meta/a.json', 'meta/b.json']);
  expect(order.slice(5)).toEqual(['CKSUMS', 'SHA256SUMS', 'index.json', '.update-repository/published.json']);
});

test('a publish of nothing new lists, reads what is remembered, and writes nothing', async () => {
  const memory = new MemoryStorage();
  await publishTo(memory, releaseOf(['a.img']));
  const calls: string[] = [];
  const storage = withFaults(memory, (_, method, path) => {
    calls.push(`${method} ${path}`);
    return null;
  });
  const { summary } = await publishTo(storage, releaseOf(['a.img']));
  expect(summary).toMatchObject({ changed: false, generation: 1, uploaded: 0, kept: 5 });
  expect(calls).toEqual(['list ', 'read .update-repository/published.json']);
});

test('a dry run says what it would do, and does not', async () => {
  const storage = new MemoryStorage();
  const { summary, events } = await publishTo(storage, releaseOf(['a.img']), { dryRun: true });
  expect(summary).toMatchObject({ dryRun: true, changed: true, uploaded: 5, generation: null });
  expect(storage.objects.size).toBe(0);
  const plan = events.find((event) => event.type === 'plan');
  expect(plan?.actions.map(({ action, path }) => `${action} ${path}`)).toContain('upload a.img');
});

test('objects of others stay as they are', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img']));
  const foreign = { ...textObject('distfiles/x.deb', 'theirs', 'text/plain'), cacheControl: 'max-age=5' };
  await storage.put(foreign, { signal: new AbortController().signal });
  const { summary } = await publishTo(storage, releaseOf(['b.img']));
  expect(summary.foreign).toBe(1);
  expect(storage.objects.get('distfiles/x.deb')).toMatchObject({ cacheControl: 'max-age=5' });
});

test('what was named before stays for those who are downloading it; an index that is no more goes', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img', 'b.img'], ['meta/a.json', 'meta/b.json']));
  await publishTo(storage, releaseOf(['b.img', 'c.img']));
  expect(visible(storage)).toEqual(['CKSUMS', 'SHA256SUMS', 'a.img', 'b.img', 'c.img', 'index.json', 'meta/a.json']);
});

test('a published name never gets other bytes', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img']));
  const reused = releaseOf(['a.img']);
  const release = { ...reused, immutables: [textObject('a.img', 'other bytes', 'application/octet-stream')] };
  await expect(publishTo(storage, release)).rejects.toMatchObject({ code: 'NAME_REUSED', data: { path: 'a.img' } });
  expect(readAll(storage)).toEqual([]);
});

test('an object that somebody spoilt is found and stored again; one that somebody else stored right is kept', async () => {
  const storage = new MemoryStorage();
  const call = { signal: new AbortController().signal };
  await publishTo(storage, releaseOf(['a.img']));
  await storage.put({ ...textObject('a.img', 'spoilt, longer', 'x/y'), cacheControl: '' }, call);
  const right = { ...textObject('b.img', 'content of b.img', 'x/y'), cacheControl: '' };
  await storage.put(right, call);
  const { summary, events } = await publishTo(storage, releaseOf(['a.img', 'b.img']));
  expect(readAll(storage)).toEqual([]);
  expect(summary.changed).toBe(true);
  const jobs = events.flatMap((event) => (event.type === 'job-finished' ? [`${event.kind} ${event.path}`] : []));
  expect(jobs).toContain('upload a.img');
  expect(jobs).toContain('check-object b.img');
});

test('wrong bytes of the right size are stored again where they are ours, and refused where they are not', async () => {
  const storage = new MemoryStorage();
  const call = { signal: new AbortController().signal };
  await publishTo(storage, releaseOf(['a.img']));
  const damaged = { ...textObject('a.img', 'CONTENT of a.img', 'x/y'), cacheControl: '' };
  await storage.put(damaged, call);
  const { summary } = await publishTo(storage, releaseOf(['a.img', 'b.img']));
  // Both images, and the four indexes.
  expect(summary).toMatchObject({ uploaded: 6, kept: 0 });
  const indexBytes = releaseOf(['a.img', 'b.img'])
    .indexStages.flat()
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  expect(summary.uploadedBytes).toBe(2 * 'content of a.img'.length + indexBytes);
  expect(readAll(storage)).toEqual([]);
  for (const text of ['CONTENT of c.img', 'of another size']) {
    await storage.put({ ...textObject('c.img', text, 'x/y'), cacheControl: '' }, call);
    const refused = publishTo(storage, releaseOf(['a.img', 'c.img']));
    await expect(refused).rejects.toMatchObject({ code: 'NAME_REUSED', data: { path: 'c.img' } });
    expect(storage.objects.get('c.img')?.bytes.toString()).toBe(text);
    expect(readAll(storage)).toEqual([]);
  }
});

test.each([1, 2, 3])('the answer of lock request %d is lost, and the publish goes on', async (lost) => {
  const memory = new MemoryStorage();
  await publishTo(memory, releaseOf(['a.img']));
  let locks = 0;
  const losing = withFaults(memory, (_, method, path) => {
    if (method !== 'put' || path !== LOCK_PATH) return null;
    locks += 1;
    return locks === lost ? 'lose-answer' : null;
  });
  const storage = withRetries(losing, { attempts: 3, firstPauseMs: 1, onEvent: () => undefined });
  expect((await publishTo(storage, releaseOf(['b.img']))).summary).toMatchObject({ changed: true, generation: 2 });
  expect((await publishTo(memory, releaseOf(['c.img']))).summary).toMatchObject({ generation: 3 });
});

test('an abort gives the lock back', async () => {
  const storage = new MemoryStorage();
  const stop = new AbortController();
  const onEvent = (event: { readonly type: string }) => {
    if (event.type === 'job-started') stop.abort();
  };
  const stopped = publishTo(storage, releaseOf(['a.img']), { signal: stop.signal, onEvent });
  await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
  const lease: { expires: string } = JSON.parse(String(storage.objects.get(LOCK_PATH)?.bytes));
  expect(Date.parse(lease.expires)).toBeLessThanOrEqual(Date.now());
});

test('a second publisher is kept out, and told who holds the lock', async () => {
  const storage = new MemoryStorage();
  const first = publishTo(storage, releaseOf(['a.img']), {
    onEvent: (event) => {
      if (event.type === 'job-started' && event.path === 'a.img') second ??= publishTo(storage, releaseOf(['b.img']));
    },
  });
  let second: ReturnType<typeof publishTo> | undefined;
  await first;
  await expect(second).rejects.toMatchObject({ code: 'LOCKED' });
  await expect(second).rejects.toThrow(/held by process \d+ on .* since/);
  await publishTo(storage, releaseOf(['b.img']));
  expect(readAll(storage)).toEqual([]);
});

test('where nothing keeps a second publisher out it is said', async () => {
  const storage = new MemoryStorage({ conditionalPut: false });
  const { events } = await publishTo(storage, releaseOf(['a.img']));
  expect(events).toContainEqual(expect.objectContaining({ type: 'note', level: 'warning' }));
  expect(storage.objects.has(LOCK_PATH)).toBe(false);
});

test('stopped by any failure of any call, readers find all that is named, and the next publish completes it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.subarray(['a.img', 'b.img', 'c.img', 'd.img']), { minLength: 2, maxLength: 4 }),
      fc.array(fc.constantFrom<Fault>('fail', 'lose-answer', null), { minLength: 1, maxLength: 60 }),
      fc.nat({ max: 40 }),
      async (versions, faults, period) => {
        const memory = new MemoryStorage();
        for (const [n, names] of versions.entries()) {
          const release = releaseOf(names, names.includes('a.img') ? ['meta/a.json', 'meta/b.json'] : ['meta/b.json']);
          const storage = withFaults(memory, (call) => (call === period ? (faults[n % faults.length] ?? null) : null));
          await failing(() => publishTo(storage, release));
          expect(readAll(memory)).toEqual([]);
        }
        const last = releaseOf(versions.at(-1) ?? []);
        memory.objects.delete(LOCK_PATH);
        await publishTo(memory, last);
        expect(readAll(memory)).toEqual([]);
        for (const { path, sha256 } of last.indexStages.flat()) expect(memory.objects.get(path)?.sha256).toBe(sha256);
        expect((await publishTo(memory, last)).summary.changed).toBe(false);
      },
    ),
    propertyRuns(300),
  );
});

async function failing(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
  }
}

test('a state that is listed and cannot be had is not taken for none', async () => {
  const storage = new MemoryStorage();
  await publishTo(storage, releaseOf(['a.img']));
  const before = visible(storage);
  const read = storage.read.bind(storage);
  vi.spyOn(storage, 'read').mockImplementation(async (path) => (path === STATE_PATH ? null : await read(path)));
  await expect(publishTo(storage, releaseOf(['b.img']))).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining('published.json: expected what the listing shows, found nothing'),
  });
  vi.restoreAllMocks();
  expect(visible(storage)).toEqual(before);
});
