import { expect, test } from 'vitest';
import { type ErrorCode, UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { textObject } from '../../src/publish/release.js';
import { withRetries } from '../../src/publish/retry.js';
import { withFaults } from './support/faults.js';
import { MemoryStorage } from './support/memory-storage.js';

const call = { signal: new AbortController().signal };
const object = { ...textObject('a', 'content of a', 'text/plain'), cacheControl: 'no-cache' };

function retrying(failures: number, options: { attempts?: number; code?: ErrorCode } = {}) {
  const memory = new MemoryStorage();
  const events: RepositoryEvent[] = [];
  let calls = 0;
  const failing = withFaults(memory, (n) => {
    calls = n + 1;
    if (n < failures && options.code !== undefined) throw new UpdateRepositoryError(options.code, 'no');
    return n < failures ? 'fail' : null;
  });
  const { attempts = 5 } = options;
  const storage = withRetries(failing, { attempts, firstPauseMs: 1, onEvent: (event) => events.push(event) });
  return { memory, storage, events, calls: () => calls };
}

test('a request that fails for a while is made again until it succeeds, and that is said', async () => {
  const { memory, storage, events } = retrying(3);
  expect(await storage.put(object, call)).toMatchObject({ path: 'a' });
  expect(memory.objects.get('a')?.bytes.toString()).toBe('content of a');
  expect(events).toHaveLength(3);
  expect(events[0]).toMatchObject({
    type: 'note',
    message: expect.stringMatching(/connection was reset; trying again/),
  });
});

test('it is given up after so many attempts', async () => {
  const { storage, calls } = retrying(100, { attempts: 4 });
  await expect(storage.stat('a', call)).rejects.toMatchObject({ code: 'NETWORK' });
  expect(calls()).toBe(4);
});

test.each(['STORAGE', 'NO_SPACE', 'CHANGED_WHILE_READ'] as const)(
  'what fails with %s is not asked again',
  async (code) => {
    const { storage, calls } = retrying(1, { code });
    await expect(storage.put(object, call)).rejects.toMatchObject({ code });
    expect(calls()).toBe(1);
  },
);

test('a listing that breaks off starts anew, and names nothing twice', async () => {
  const { memory, storage } = retrying(2);
  for (const path of ['a', 'b']) await memory.put({ ...object, path }, call);
  const listed: string[] = [];
  for await (const { path } of storage.list('', call)) listed.push(path);
  expect(listed.sort()).toEqual(['a', 'b']);
});

test('an abort ends the wait', async () => {
  const stop = new AbortController();
  const { storage } = retrying(100, { attempts: 100 });
  const made = storage.stat('a', { signal: stop.signal });
  setTimeout(() => stop.abort(), 10);
  await expect(made).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
