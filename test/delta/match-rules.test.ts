import { describe, expect, test } from 'vitest';
import { DeltaDecoder } from '../../src/delta/decode.js';
import { sampleAnchors } from '../../src/delta/sample.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

const dir = temporaryDirectoryOfSuite();
const text = pseudoRandomBytes('match rules', 60_000);
const fresh = pseudoRandomBytes('match rules, fresh', 60_000);
const segmentBytes = 2 ** 20;

/** The commands of the delta as [length] for literals and [length, offset] for copies. */
function commandsOf(base: Buffer, target: Buffer): number[][] {
  const commands: number[][] = [];
  const decoder = new DeltaDecoder(
    { name: 'delta', baseBytes: base.length, targetBytes: target.length },
    {
      literal: (_bytes, from, to) => void commands.push([to - from]),
      copy: (offset, length) => void commands.push([length, offset]),
    },
  );
  const { delta } = makeDelta(dir, base, target, 'max');
  expect(makeDelta(dir, base, target, 'max', { engine: 'js' }).delta.equals(delta)).toBe(true);
  decoder.push(delta);
  decoder.finish();
  return commands;
}

/** The given stretch with every byte changed. */
function changed(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte ^ 0xff));
}

describe('a short copy that a later one covers', () => {
  // The text starts with what the base has on its own as well, at a lower position.
  const baseWith = (duplicateBytes: number) =>
    Buffer.concat([fresh.subarray(0, 100), text.subarray(0, duplicateBytes), fresh.subarray(100, 300), text]);

  test('of up to 4096 bytes is dropped', () => {
    const base = baseWith(4096);
    expect(commandsOf(base, text)).toEqual([[text.length, 100 + 4096 + 200]]);
  });

  test('stays when it is longer', () => {
    const base = baseWith(4097);
    expect(commandsOf(base, text)).toEqual([
      [4097, 100],
      [text.length - 4097, 100 + 4097 + 200 + 4097],
    ]);
  });

  test('is dropped with those before it, and what lies between them', () => {
    const parts = [text.subarray(0, 1000), text.subarray(1010, 2000), text.subarray(2000, 3000)];
    const base = Buffer.concat([...parts.flatMap((part, n) => [part, fresh.subarray(n * 50, n * 50 + 50)]), text]);
    expect(commandsOf(base, Buffer.concat([fresh.subarray(1000, 1010), text]))).toEqual([
      [10],
      [text.length, base.length - text.length],
    ]);
  });
});

describe('after a short copy from elsewhere', () => {
  // A page that the base has twice, around a duplicate that the base has on its own at a lower position.
  const middle = text.subarray(2000, 2300);
  const original = text.subarray(0, 6000);
  const twin = Buffer.concat([fresh.subarray(5000, 5100), original]);
  const base = Buffer.concat([middle, fresh.subarray(0, 77), original, fresh.subarray(77, 200), twin]);

  test('the diagonal of the last long one is tried before the table', () => {
    const later = base.length - original.length;
    const target = Buffer.concat([fresh.subarray(5000, 5100), original]);
    target.set(changed(target.subarray(2099, 2100)), 2099);
    target.set(changed(target.subarray(2400, 2401)), 2400);
    const offsets = commandsOf(base, target).flatMap(([length = 0, offset]) => (length > 500 ? [offset] : []));
    expect(offsets).toEqual([later - 100, later + 2301]);
  });
});

describe('an anchor', () => {
  const anchors = new Int32Array(10_000);
  sampleAnchors(new DataView(text.buffer, text.byteOffset, text.length), 0, anchors.length, 5, anchors);
  const at = anchors[21] ?? Number.NaN;
  const window = text.subarray(at, at + 32);

  test('in the last window of the base is found', () => {
    const base = Buffer.concat([fresh.subarray(0, 1000), window]);
    expect(commandsOf(base, Buffer.concat([window, fresh.subarray(5000, 6000)]))[0]).toEqual([32, 1000]);
  });

  test('in the last window of the target is found', () => {
    const base = Buffer.concat([fresh.subarray(0, 1000), window, fresh.subarray(1000, 1500)]);
    expect(commandsOf(base, Buffer.concat([fresh.subarray(5000, 6000), window])).at(-1)).toEqual([32, 1000]);
  });

  test.each([1, 16, 31])('that starts %d bytes before the end of a segment of the base is found', (before) => {
    const base = Buffer.concat([Buffer.alloc(segmentBytes - before), window, fresh.subarray(0, 100)]);
    expect(commandsOf(base, Buffer.concat([fresh.subarray(5000, 6000), window])).at(-1)).toEqual([
      32,
      segmentBytes - before,
    ]);
  });
});

describe('in a gap', () => {
  // Before and after a gap the base goes on elsewhere, so that each gap is searched from one side only.
  const before = text.subarray(0, 1000);
  const after = text.subarray(2000, 3000);
  const stretch = fresh.subarray(0, 10);

  test.each([
    [256, true],
    [257, false],
  ])('ten equal bytes %d bytes after a copy are copied: %s', (distance, found) => {
    const base = Buffer.concat([before, Buffer.alloc(distance, 1), stretch, Buffer.alloc(700, 2)]);
    const target = Buffer.concat([before, changed(Buffer.alloc(distance, 1)), stretch, Buffer.of(9)]);
    expect(commandsOf(base, target)).toEqual(
      found ? [[1000, 0], [distance], [10, 1000 + distance], [1]] : [[1000, 0], [distance + 11]],
    );
  });

  test.each([
    [256, true],
    [257, false],
  ])('ten equal bytes %d bytes before a copy are copied: %s', (distance, found) => {
    const base = Buffer.concat([Buffer.alloc(700, 2), stretch, Buffer.alloc(distance, 1), after]);
    const target = Buffer.concat([Buffer.of(9), stretch, changed(Buffer.alloc(distance, 1)), after]);
    expect(commandsOf(base, target)).toEqual(
      found ? [[1], [10, 700], [distance], [1000, 710 + distance]] : [[distance + 11], [1000, 710 + distance]],
    );
  });

  test('nine equal bytes are not copied', () => {
    const base = Buffer.concat([before, Buffer.of(1), stretch.subarray(0, 9), Buffer.alloc(700, 2)]);
    const target = Buffer.concat([before, Buffer.of(0), stretch.subarray(0, 9), Buffer.of(9)]);
    expect(commandsOf(base, target)).toEqual([[1000, 0], [11]]);
  });
});

test('the end of a segment that is shorter than a window is not compared with what was in memory before', () => {
  const base = Buffer.concat([pseudoRandomBytes('first segment', segmentBytes), text.subarray(0, 10)]);
  const longer = Buffer.concat([base, base.subarray(10, 200)]);
  expect(commandsOf(longer, base)).toEqual([[base.length, 0]]);
});
