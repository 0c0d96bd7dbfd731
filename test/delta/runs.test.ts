import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocateBlock } from '../../src/delta/byte-block.js';
import { BaseRuns, nextRun, RUNS_BYTES } from '../../src/delta/runs.js';
import { propertyRuns } from './support/properties.js';

function runsIn(text: Buffer, from: number, to: number): number[][] {
  const block = allocateBlock(text.length);
  text.copy(block.bytes);
  const runs: number[][] = [];
  const run = { start: 0, end: 0 };
  for (let at = from; nextRun(block, at, to, run); at = run.end) runs.push([run.start, run.end]);
  return runs;
}

function slowRunsIn(text: Buffer, from: number, to: number): number[][] {
  const runs: number[][] = [];
  for (let start = from; start < to; ) {
    let end = start;
    while (end < to && text[end] === text[start]) end += 1;
    if (end - start >= 32) runs.push([start, end]);
    start = end;
  }
  return runs;
}

describe('runs', () => {
  test('of 32 equal bytes and more are all found whole, shorter ones never', () => {
    const length = fc.oneof(
      fc.nat({ max: 40 }),
      fc.integer({ min: 30, max: 34 }),
      fc.integer({ min: 4000, max: 9000 }),
    );
    const stretches = fc.array(fc.tuple(fc.nat({ max: 2 }), length), { maxLength: 12 });
    const margin = fc.nat({ max: 40 });
    fc.assert(
      fc.property(stretches, margin, margin, (stretches, before, after) => {
        const text = Buffer.concat(stretches.map(([value, length]) => Buffer.alloc(length, value)));
        const to = Math.max(0, text.length - after);
        const from = Math.min(before, to);
        expect(runsIn(text, from, to)).toEqual(slowRunsIn(text, from, to));
      }),
      propertyRuns(500),
    );
  });

  test('are found wherever they start and whatever follows', () => {
    for (let before = 0; before < 34; before += 1) {
      for (const length of [31, 32, 33, 47, 48, 4095, 4096, 4097, 8192]) {
        for (const after of [0, 1, 5000]) {
          const text = Buffer.concat([Buffer.alloc(before, 1), Buffer.alloc(length, 2), Buffer.alloc(after, 3)]);
          expect(runsIn(text, 0, text.length)).toEqual(slowRunsIn(text, 0, text.length));
        }
      }
    }
  });

  test('of several threads are merged as if one had noted them', () => {
    const noted = [
      { value: 7, position: 300, length: 50 },
      { value: 7, position: 200, length: 50 },
      { value: 9, position: 0, length: 40 },
      { value: 9, position: 500, length: 41 },
    ];
    const merged = new BaseRuns(new SharedArrayBuffer(RUNS_BYTES), 0);
    for (const { value, position, length } of noted) {
      const ofThread = new BaseRuns(new SharedArrayBuffer(RUNS_BYTES), 0);
      ofThread.note(value, position, length);
      merged.merge(ofThread);
    }
    expect([merged.positionOf(7), merged.lengthOf(7)]).toEqual([200, 50]);
    expect([merged.positionOf(9), merged.lengthOf(9)]).toEqual([500, 41]);
    merged.clear();
    expect([7, 9].map((value) => merged.lengthOf(value))).toEqual([0, 0]);
  });

  test('of the base are remembered by length, then by position, whatever their order', () => {
    const noted = [
      [300, 50],
      [100, 40],
      [200, 50],
      [900, 49],
    ] as const;
    for (const order of [noted, [...noted].reverse()]) {
      const runs = new BaseRuns(new SharedArrayBuffer(RUNS_BYTES), 0);
      for (const [position, length] of order) runs.note(7, position, length);
      expect([runs.positionOf(7), runs.lengthOf(7)]).toEqual([200, 50]);
      expect(runs.lengthOf(8)).toBe(0);
    }
  });
});
