import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnchorWalk } from '../../src/delta/anchor-walk.js';
import type { ByteBlock } from '../../src/delta/byte-block.js';
import { sampleAnchors } from '../../src/delta/sample.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { propertyRuns } from './support/properties.js';
import { barrenCycle, denseCycle, highestByte, repetitivePair } from './support/repetitive-pairs.js';

const sampleBits = 5;
const blockWindows = 512;
/** Whole blocks: a last one that is short has no anchor at times. */
const random = pseudoRandomBytes('anchor walk', 40 * blockWindows + 31);
const barren = barrenCycle(24);

function blockOf(bytes: Buffer): ByteBlock {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

function rawAnchors(text: Buffer): number[] {
  if (text.length < 32) return [];
  const anchors = new Int32Array(text.length);
  return [...anchors.subarray(0, sampleAnchors(blockOf(text).view, 0, text.length - 31, sampleBits, anchors))];
}

/** Where the anchors are, kept and forced, that a walk finds from `from` on, to where a copy has led it. */
function walked(text: Buffer, batchWindows = 8192, from = 0): number[] {
  const walk = new AnchorWalk({ sampleBits, buckets: 1000 }, batchWindows);
  const windows = text.length - 31;
  const starts: number[] = [];
  walk.begin(blockOf(text), windows);
  for (let at = from; at < windows; ) {
    at = walk.batch(from, at, batchWindows);
    starts.push(...walk.keys.starts.subarray(0, walk.keys.count));
  }
  return starts.filter((at) => at >= from);
}

describe('a raw anchor is kept', () => {
  test('when there is none among the three windows before it', () => {
    const raw = rawAnchors(random);
    const kept = raw.filter((at) => !raw.some((before) => before < at && before >= at - 3));
    expect(kept.length).toBeLessThan(raw.length);
    expect(walked(random)).toEqual(kept);
  });

  test('of a long cluster only as the first one', () => {
    const text = Buffer.concat([Buffer.alloc(100), Buffer.alloc(300, denseCycle)]);
    expect(rawAnchors(text).length).toBeGreaterThan(260);
    expect(walked(text)).toHaveLength(1);
  });
});

describe('a block without any', () => {
  test('is given one window of the cycle that its data repeats, the same in each', () => {
    const text = Buffer.alloc(10 * blockWindows, barren);
    const forced = walked(text);
    expect(forced.map((at) => Math.floor(at / blockWindows))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(forced.map((at) => at % barren.length)).size).toBe(1);
  });

  test('ends where the windows end', () => {
    expect(walked(Buffer.alloc(blockWindows + 32 + 31, barren))).toHaveLength(2);
  });

  test.each([2, 4, 8])('is given one of period %d where all are dropped', (period) => {
    const text = Buffer.alloc(2 * blockWindows, pseudoRandomBytes('dropped', period));
    expect(walked(text)).toHaveLength(2);
  });

  test('is given none when it is constant, or its highest window', () => {
    expect(walked(Buffer.alloc(5000, 7))).toEqual([]);
    const text = Buffer.alloc(blockWindows + 31, highestByte);
    text.fill(barrenCycle(24, 'a'), 0, 100);
    expect(rawAnchors(text)).toEqual([]);
    expect(walked(text)).toEqual([]);
  });

  test('is given the last of those with the highest rank, where what follows a copy may use it', () => {
    const [first = Number.NaN] = walked(Buffer.alloc(blockWindows + 31, barren));
    expect(first).toBeGreaterThanOrEqual(blockWindows - barren.length);
  });
});

describe('how a walk is cut and where it starts', () => {
  const pairs = repetitivePair(3000);

  test.each([1, 7, 64, 600])('changes nothing, with %d windows in a batch', (batchWindows) => {
    fc.assert(
      fc.property(pairs, ({ base }) => {
        expect(walked(base, batchWindows)).toEqual(walked(base));
      }),
      propertyRuns(200),
    );
  });

  test('changes nothing, with a copy that leads into the midst of a block', () => {
    fc.assert(
      fc.property(pairs, fc.nat({ max: 5000 }), fc.constantFrom(7, 64, 600), ({ base }, from, batchWindows) => {
        expect(walked(base, batchWindows, from)).toEqual(walked(base).filter((at) => at >= from));
      }),
      propertyRuns(500),
    );
  });
});
