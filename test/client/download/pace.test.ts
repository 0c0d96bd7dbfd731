import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../../src/client/download/pace.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const limit = { bytesPerSecond: 100, windowMs: 1000 };

/** Waits for pieces that come after so long and have so many bytes; returns what was found too slow. */
async function take(pieces: readonly (readonly [afterMs: number, bytes: number])[], readerMs = 0): Promise<string[]> {
  const pace = new Pace(limit);
  const found: string[] = [];
  for (const [afterMs, bytes] of pieces) {
    const piece = new Promise<void>((resolve) => setTimeout(resolve, afterMs));
    const waiting = pace.waitFor(piece, (slow) => found.push(slow));
    await vi.advanceTimersByTimeAsync(afterMs);
    await waiting;
    pace.got(bytes);
    await vi.advanceTimersByTimeAsync(readerMs);
  }
  return found;
}

test('nothing at all is too slow after one window', async () => {
  expect(await take([[999, 1]])).toEqual([]);
  expect(await take([[1001, 1]])).toEqual(['0 bytes in 1 s']);
});

test('a trickle is too slow, however many pieces it has', async () => {
  expect(await take(Array(10).fill([101, 9]))).toEqual(['81 bytes in 1 s']);
  expect(await take(Array(30).fill([101, 20]))).toEqual([]);
});

test('what came long ago does not excuse a stall', async () => {
  expect(
    await take([
      [10, 1_000_000],
      [2500, 0],
    ]),
  ).toEqual(['0 bytes in 1 s']);
});

test('the time of the reader does not count', async () => {
  expect(await take(Array(5).fill([10, 0]), 10_000)).toEqual([]);
});
