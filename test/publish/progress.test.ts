import { expect, test } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { contentOf } from '../../src/publish/content.js';
import { textObject } from '../../src/publish/release.js';
import { withRetries } from '../../src/publish/retry.js';
import { StepProgress } from '../../src/publish/step-progress.js';
import type { Storage } from '../../src/publish/storage.js';
import { MemoryStorage } from './support/memory-storage.js';
import { publishTo, releaseOf } from './support/releases.js';

/** A storage to whose first `cuts` transfers of each image the network puts an end, when all bytes have gone. */
function cutting(memory: MemoryStorage, cuts: number): Storage {
  const left = new Map<string, number>();
  return {
    name: memory.name,
    abilities: memory.abilities,
    list: (prefix) => memory.list(prefix),
    stat: (path) => memory.stat(path),
    read: (path) => memory.read(path),
    remove: (paths) => memory.remove(paths),
    close: () => memory.close(),
    async put(request, call) {
      const cutsLeft = left.get(request.path) ?? cuts;
      left.set(request.path, cutsLeft - 1);
      if (!request.path.endsWith('.img') || cutsLeft <= 0) return await memory.put(request, call);
      for await (const piece of contentOf(request, call)) expect(piece.length).toBeGreaterThan(0);
      throw new UpdateRepositoryError('NETWORK', 'the connection was reset');
    },
  };
}

interface JobBytes {
  readonly totalBytes: number;
  readonly told: number[];
}

function jobsOf(events: readonly RepositoryEvent[]): JobBytes[] {
  const jobs = new Map<number, JobBytes>();
  for (const event of events) {
    if (event.type === 'job-started') jobs.set(event.job, { totalBytes: event.totalBytes, told: [] });
    else if (event.type === 'job-progress') jobs.get(event.job)?.told.push(event.doneBytes);
  }
  return [...jobs.values()];
}

test.each([
  [0, false],
  [2, false],
  [0, true],
  [2, true],
] as const)(
  'after %i cuts, read back: %s, no job tells of more than all of its bytes, and each ends with all',
  async (cuts, verifyFull) => {
    const storage = withRetries(cutting(new MemoryStorage(), cuts), {
      attempts: 3,
      firstPauseMs: 1,
      onEvent: () => undefined,
    });
    const names = ['a.img', 'b.img', 'c.img'];
    const { events } = await publishTo(storage, releaseOf(names), { verifyFull });
    const jobs = jobsOf(events);
    expect(jobs).toHaveLength(names.length);
    for (const { totalBytes, told } of jobs) {
      expect(totalBytes).toBe('content of a.img'.length * (verifyFull ? 2 : 1));
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect(told.at(-1)).toBe(totalBytes);
    }
  },
);

test('an object that is found to be right without moving it is all done', async () => {
  const storage = new MemoryStorage();
  const call = { signal: new AbortController().signal };
  await storage.put({ ...textObject('a.img', 'content of a.img', 'a/b'), cacheControl: '' }, call);
  const { events } = await publishTo(storage, releaseOf(['a.img']));
  expect(jobsOf(events)).toEqual([{ totalBytes: 16, told: [16] }]);
});

test('an attempt that gets less far than the one before is not seen until it is as far', () => {
  const progress = new StepProgress(100, 2);
  progress.add(80);
  progress.restart();
  progress.add(30);
  expect(progress.doneBytes).toBe(80);
  progress.add(60);
  expect(progress.doneBytes).toBe(90);
  progress.endStep();
  progress.add(500);
  expect(progress.doneBytes).toBe(200);
  progress.endStep();
  expect(progress.doneBytes).toBe(200);
});
