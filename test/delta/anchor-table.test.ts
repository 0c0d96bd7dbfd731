import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnchorTable, NO_POSITION } from '../../src/delta/anchor-table.js';
import { KeyBatch } from '../../src/delta/key.js';
import { propertyRuns } from './support/properties.js';

interface Anchor {
  readonly bucket: number;
  readonly tag: number;
  readonly position: number;
}

function emptyTable(buckets: number): AnchorTable {
  return new AnchorTable(new SharedArrayBuffer(64 * (buckets + 1)), 64, buckets);
}

function tableOf(anchors: readonly Anchor[], buckets: number): AnchorTable {
  const table = emptyTable(buckets);
  const batch = new KeyBatch(1);
  batch.count = 1;
  for (const { bucket, tag, position } of anchors) {
    batch.buckets[0] = bucket;
    batch.tags[0] = tag;
    batch.starts[0] = position % 1000;
    table.insert(batch, position - (position % 1000));
  }
  return table;
}

const anchor = fc.record({
  bucket: fc.nat({ max: 2 }),
  tag: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2 ** 28 - 1 })),
  position: fc.oneof(
    fc.nat({ max: 100 }),
    fc.maxSafeNat().map((n) => n % (2 ** 36 - 1)),
  ),
});
/** Often enough for a bucket to get more tags than it has slots. At a position of a file is one window, with one tag. */
const anchors = fc.uniqueArray(anchor, { selector: ({ position }) => position, maxLength: 60, size: 'max' });

describe('the anchor table', () => {
  test('remembers, in each bucket, the lowest position of the eight tags whose lowest positions are lowest', () => {
    fc.assert(
      fc.property(anchors, (anchors) => {
        const table = tableOf(anchors, 3);
        for (const { bucket, tag } of anchors) expect(table.find(bucket, tag)).toBe(expected(anchors, bucket, tag));
      }),
      propertyRuns(300),
    );
  });

  test('is the same whatever the order of insertion', () => {
    const shuffled = anchors.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([anchors, others]) => {
        const [one, other] = [tableOf(anchors, 3), tableOf(others, 3)];
        for (const { bucket, tag } of anchors) expect(other.find(bucket, tag)).toBe(one.find(bucket, tag));
      }),
      propertyRuns(300),
    );
  });

  test.each([0, 1, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 36 - 2])('holds the position %d', (position) => {
    const tag = 2 ** 28 - 1;
    expect(tableOf([{ bucket: 0, tag, position }], 1).find(0, tag)).toBe(position);
    expect(tableOf([{ bucket: 0, tag: 0, position }], 1).find(0, 0)).toBe(position);
  });

  test('finds nothing for a tag that was not inserted, not even the tag of an empty slot', () => {
    expect(emptyTable(1).find(0, 0)).toBe(NO_POSITION);
    expect(tableOf([{ bucket: 0, tag: 5, position: 5 }], 2).find(0, 4)).toBe(NO_POSITION);
    expect(tableOf([{ bucket: 0, tag: 5, position: 5 }], 2).find(1, 5)).toBe(NO_POSITION);
  });
});

function expected(anchors: readonly Anchor[], bucket: number, tag: number): number {
  const lowest = new Map<number, number>();
  for (const anchor of anchors) {
    if (anchor.bucket !== bucket) continue;
    lowest.set(anchor.tag, Math.min(anchor.position, lowest.get(anchor.tag) ?? Number.POSITIVE_INFINITY));
  }
  const kept = [...lowest].sort(([, a], [, b]) => a - b).slice(0, 8);
  return new Map(kept).get(tag) ?? NO_POSITION;
}
