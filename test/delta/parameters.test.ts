import { expect, test } from 'vitest';
import { deltaParameters } from '../../src/delta/parameters.js';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

test.each([
  ['fast', 0, 7],
  ['fast', 32 * MiB - 1, 7],
  ['fast', 32 * MiB, 8],
  ['fast', 64 * MiB, 9],
  ['fast', 32 * GiB - 1, 9],
  ['fast', 32 * GiB, 10],
  ['normal', 0, 6],
  ['normal', 64 * MiB - 1, 6],
  ['normal', 64 * MiB, 7],
  ['normal', 128 * MiB, 8],
  ['normal', GiB - 1, 8],
  ['normal', GiB, 9],
  ['normal', 32 * GiB - 1, 9],
  ['normal', 32 * GiB, 10],
  ['max', 0, 5],
  ['max', 128 * MiB - 1, 5],
  ['max', 128 * MiB, 6],
  ['max', 4 * GiB - 1, 6],
  ['max', 4 * GiB, 7],
  ['max', 2 ** 50, 10],
] as const)('with effort %s a base of %d bytes is sampled once in 2^%d windows', (effort, baseBytes, sampleBits) => {
  expect(deltaParameters(baseBytes, effort).sampleBits).toBe(sampleBits);
});

test('the table has room for twice the anchors that are expected', () => {
  for (const baseBytes of [0, 1, 1000, 3 * MiB, GiB + 1, 2 ** 50]) {
    const { sampleBits, buckets } = deltaParameters(baseBytes, 'normal');
    const expected = Math.min(baseBytes, 2 ** 36 - 1) / 2 ** sampleBits;
    expect(8 * buckets).toBeGreaterThanOrEqual(2 * expected);
    expect(8 * buckets).toBeLessThanOrEqual(2 * expected + 8);
    expect(64 * buckets).toBeLessThanOrEqual(GiB);
  }
});
