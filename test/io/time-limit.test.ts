import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TimeLimit } from '../../src/io/time-limit.js';

test('a time limit aborts when the time is over, however much is collected meanwhile', async () => {
  using limit = new TimeLimit(new AbortController().signal, 50);
  for (let round = 0; round < 40 && !limit.signal.aborted; round += 1) {
    Array.from({ length: 300 }, () => new Array(1000).fill(round));
    await sleep(5);
  }
  expect(limit.signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('a time limit aborts with the other signal, for its reason', () => {
  const outer = new AbortController();
  using limit = new TimeLimit(outer.signal, 60_000);
  outer.abort('why');
  expect(limit.signal.reason).toBe('why');
  using late = new TimeLimit(outer.signal, 60_000);
  expect(late.signal.aborted).toBe(true);
});

test('a time limit that was disposed of aborts no more', async () => {
  const outer = new AbortController();
  const limit = new TimeLimit(outer.signal, 5);
  limit[Symbol.dispose]();
  outer.abort();
  await sleep(20);
  expect(limit.signal.aborted).toBe(false);
});
