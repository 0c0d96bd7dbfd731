import { describe, expect, test } from 'vitest';
import { KeyBatch, keyAnchors } from '../../src/delta/key.js';
import { sampleAnchors } from '../../src/delta/sample.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';

const text = pseudoRandomBytes('sample', 200_000);
const view = viewOf(text);

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function anchorsIn(from: number, to: number, sampleBits: number): number[] {
  const anchors = new Int32Array(to - from);
  return [...anchors.subarray(0, sampleAnchors(view, from, to, sampleBits, anchors))];
}

describe('anchors', () => {
  test('are about one window in 2^sampleBits', () => {
    for (const sampleBits of [6, 8, 9]) {
      const count = anchorsIn(0, text.length - 31, sampleBits).length;
      expect(count / (text.length / 2 ** sampleBits)).toBeCloseTo(1, 0);
    }
  });

  test('are those that sum and third word, reckoned from the window alone, select', () => {
    for (const sampleBits of [5, 6, 8, 9, 10]) {
      const found = new Set(anchorsIn(0, 20_000, sampleBits));
      for (let at = 0; at < 20_000; at += 1) {
        const sum = text.subarray(at, at + 8).reduce((all, byte, k) => all + byte * 2 ** (7 - k), 0) % 2 ** 8;
        const isSumRight = sum <= 132 && sum > 132 - 2 ** (8 - Math.min(sampleBits, 8));
        const product = (BigInt(text.readUInt32LE(at + 8)) * 0x2c1b3c6dn) % 2n ** 32n;
        const isProductRight = product < 2n ** (32n - BigInt(Math.max(0, sampleBits - 8)));
        expect(found.has(at)).toBe(isSumRight && isProductRight);
      }
    }
  });

  test('are no windows of zeros, of blanks or of ones', () => {
    for (const byte of [0, 0x20, 0xff]) {
      const anchors = new Int32Array(100);
      expect(sampleAnchors(viewOf(Buffer.alloc(131, byte)), 0, 100, 5, anchors)).toBe(0);
    }
  });

  test('are the same wherever a scan starts and ends', () => {
    const whole = anchorsIn(0, 30_000, 6);
    for (const step of [1, 7, 64, 1000]) {
      const parts: number[] = [];
      for (let from = 0; from < 30_000; from += step) parts.push(...anchorsIn(from, Math.min(from + step, 30_000), 6));
      expect(parts).toEqual(whole);
    }
  });
});

describe('keys', () => {
  const starts = Int32Array.from({ length: 4000 }, (_, n) => 50 * n);

  test('spread evenly over buckets that are no power of two, and differ', () => {
    const batch = new KeyBatch(starts.length);
    keyAnchors(view, starts, starts.length, 1000, batch);
    const counts = Array<number>(1000).fill(0);
    for (const bucket of batch.buckets) counts[bucket] = (counts[bucket] ?? Number.NaN) + 1;
    const chiSquared = counts.reduce((sum, count) => sum + (count - 4) ** 2 / 4, 0);
    // 999 degrees of freedom: six standard deviations on either side.
    expect(Math.abs(chiSquared - 999)).toBeLessThan(6 * Math.sqrt(2 * 999));
    expect(new Set(batch.tags).size).toBeGreaterThan(3990);
  });

  test('change bucket and tag when any bit of the window changes', () => {
    const batch = new KeyBatch(1);
    const keyOf = (window: Buffer) => {
      keyAnchors(viewOf(window), Int32Array.of(0), 1, 2 ** 24, batch);
      return [batch.buckets[0], batch.tags[0]];
    };
    const [bucket, tag] = keyOf(Buffer.from(text.subarray(0, 32)));
    for (let bit = 0; bit < 256; bit += 1) {
      const window = Buffer.from(text.subarray(0, 32));
      window[bit >> 3] = (window[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const [otherBucket, otherTag] = keyOf(window);
      expect(otherBucket).not.toBe(bucket);
      expect(otherTag).not.toBe(tag);
    }
  });

  test.each([1, 2, 4, 8])('are not made for windows of period %d', (period) => {
    const window = Buffer.alloc(32, text.subarray(0, period));
    const batch = new KeyBatch(1);
    keyAnchors(viewOf(window), Int32Array.of(0), 1, 100, batch);
    expect(batch.count).toBe(0);
  });

  test('are made for windows of which only every other word repeats', () => {
    const batch = new KeyBatch(1);
    for (const place of [0, 4]) {
      const window = Buffer.from(text.subarray(0, 32));
      for (let at = place; at < 32; at += 8) window.fill(7, at, at + 4);
      keyAnchors(viewOf(window), Int32Array.of(0), 1, 100, batch);
      expect(batch.count).toBe(1);
    }
  });

  test.each([3, 12, 16])('are made for windows of period %d', (period) => {
    const window = Buffer.alloc(32, text.subarray(0, period));
    const batch = new KeyBatch(1);
    keyAnchors(viewOf(window), Int32Array.of(0), 1, 100, batch);
    expect(batch.count).toBe(1);
  });
});
