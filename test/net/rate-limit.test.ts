import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Clock, RateLimit } from '../../src/net/rate-limit.js';
import { bodyOf } from '../../src/publish/http/body.js';
import { textObject } from '../../src/publish/release.js';

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

/** A clock that goes on to the next instant at which somebody wakes, once all are asleep. */
class FakeClock implements Clock {
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ at: this.#now + ms, wake }));
  }

  async runUntil(ended: Promise<unknown>): Promise<void> {
    let running = true;
    void ended.finally(() => {
      running = false;
    });
    while (running) {
      // Streams need some turns of the event loop until they ask for more.
      for (let turn = 0; turn < 10; turn += 1) await setImmediate();
      this.#sleepers.sort((a, b) => b.at - a.at);
      const next = this.#sleepers.pop();
      if (next === undefined) continue;
      this.#now = next.at;
      next.wake();
    }
  }
}

test.each([
  [1000, 4],
  [20_000, 8],
  [300_000, 4],
])(
  'at %i bytes a second each of %i uploads sends something every second, and all of them no more',
  async (rate, uploads) => {
    const clock = new FakeClock();
    const limit = new RateLimit(rate, clock);
    const sizeBytes = Math.round((10 * rate) / uploads);
    const object = { ...textObject('a.img', 'x'.repeat(sizeBytes), 'a/b'), cacheControl: '' };
    const sent: { readonly at: number; readonly bytes: number }[] = [];
    const upload = async (): Promise<number> => {
      let lastAt = 0;
      let longestMs = 0;
      const onBytes = (count: number) => limit.take(count, signal);
      const { body } = bodyOf(object, { signal, onBytes, pieceBytes: limit.pieceBytes });
      for await (const piece of body as AsyncIterable<Buffer>) {
        longestMs = Math.max(longestMs, clock.now() - lastAt);
        lastAt = clock.now();
        sent.push({ at: lastAt, bytes: piece.length });
      }
      return longestMs;
    };
    const all = Promise.all(Array.from({ length: uploads }, upload));
    await clock.runUntil(all);
    for (const longestMs of await all) expect(longestMs).toBeLessThan(1100);
    for (let from = 0; from < 10_000; from += 1000) {
      const within = sent.filter(({ at }) => at >= from && at < from + 1000);
      const bytes = within.reduce((sum, piece) => sum + piece.bytes, 0);
      expect(bytes).toBeGreaterThan(rate * 0.5);
      // Each upload may have a piece on its way.
      expect(bytes).toBeLessThan(rate * (1.2 + uploads / 16));
    }
  },
);
