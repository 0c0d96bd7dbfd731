import { expect, test } from 'vitest';
import { RateLimit } from '../../src/publish/rate-limit.js';

const { signal } = new AbortController();

test('transfers side by side share the rate', async () => {
  const limit = new RateLimit(1_000_000);
  const startedAt = performance.now();
  const transfer = async () => {
    for (let n = 0; n < 10; n += 1) await limit.take(20_000, signal);
  };
  await Promise.all([transfer(), transfer()]);
  // 400 kB at 1 MB/s, of which a tenth of a second may go ahead.
  expect(performance.now() - startedAt).toBeGreaterThan(250);
});

test('what was not used is not saved up', async () => {
  const limit = new RateLimit(1_000_000);
  await limit.take(1000, signal);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const startedAt = performance.now();
  await limit.take(200_000, signal);
  expect(performance.now() - startedAt).toBeGreaterThan(80);
});

test('an abort ends the wait', async () => {
  const limit = new RateLimit(1000);
  await expect(limit.take(10_000_000, AbortSignal.timeout(20))).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
