import { afterEach, expect, test, vi } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { Patience } from '../../src/net/patience.js';
import { persistently } from '../../src/net/persistently.js';

const { signal } = new AbortController();

afterEach(() => {
  vi.restoreAllMocks();
});

function failing(attempts: number, eachTakesMs: number) {
  let [now, asked] = [0, 0];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const work = async () => {
    now += eachTakesMs;
    asked += 1;
    throw new UpdateRepositoryError('NETWORK', 'nobody answers');
  };
  const notes: string[] = [];
  const onEvent = (event: RepositoryEvent) => {
    if (event.type === 'note') notes.push(event.message);
  };
  const done = persistently('s3://x', { attempts, firstPauseMs: 1, patienceMs: 5 * 60_000, onEvent }, signal, work);
  return { done, notes, asked: () => asked };
}

test('a request that keeps failing is made as often as is allowed, and each failure but the last is told', async () => {
  const { done, notes, asked } = failing(4, 0);
  await expect(done).rejects.toMatchObject({ code: 'NETWORK' });
  expect(asked()).toBe(4);
  expect(notes).toEqual(Array(3).fill(expect.stringMatching(/^nobody answers; trying again in 0\.0 s$/)));
});

test('a request whose failures take their time is given up when patience ends after the first one', async () => {
  const { done, asked } = failing(100, 2 * 60_000);
  await expect(done).rejects.toMatchObject({ code: 'NETWORK' });
  expect(asked()).toBe(4);
});

test('a server that says when to come back is not asked earlier', async () => {
  const [asked, notes]: [number[], string[]] = [[], []];
  const onEvent = (event: RepositoryEvent) => {
    if (event.type === 'note') notes.push(event.message);
  };
  const work = async () => {
    asked.push(performance.now());
    if (asked.length === 2) return 'done';
    throw new UpdateRepositoryError('NETWORK', 'too many', { data: { retryAfterMs: 300 } });
  };
  expect(await persistently('x', { attempts: 4, firstPauseMs: 1, onEvent }, signal, work)).toBe('done');
  expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThan(290);
  expect(notes).toEqual(['too many; trying again in 0.3 s']);
});

test('patience that is renewed counts from the start', async () => {
  const patience = new Patience('x', { attempts: 2, firstPauseMs: 1, onEvent: () => undefined });
  const failure = new UpdateRepositoryError('NETWORK', 'nobody answers');
  await patience.afterFailure(failure, signal);
  patience.renew();
  await patience.afterFailure(failure, signal);
  await expect(patience.afterFailure(failure, signal)).rejects.toBe(failure);
});
