import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { editedPair } from './support/edited-pairs.js';
import { makeDelta } from './support/engine.js';
import { modelDelta } from './support/model.js';
import { propertyRuns } from './support/properties.js';
import { barrenCycle, droppedCycle, highestByte, repetitivePair } from './support/repetitive-pairs.js';

const dir = temporaryDirectoryOfSuite();
const efforts = ['fast', 'normal', 'max'] as const;

describe.each(['js', 'wasm'] as const)(
  'the engine %s makes the bytes that docs/delta-algorithm.md defines',
  (engine) => {
    test('for edited texts of all sorts', () => {
      fc.assert(
        fc.property(editedPair(60_000), fc.constantFrom(...efforts), ({ base, target }, effort) => {
          expect(makeDelta(dir, base, target, effort, { engine }).delta.equals(modelDelta(base, target, effort))).toBe(
            true,
          );
        }),
        propertyRuns(40),
      );
    });

    test('for texts that repeat cycles with no anchor, with many or of one byte, however they are cut', () => {
      const batch = fc.constantFrom(1, 7, 64, 8192);
      fc.assert(
        fc.property(
          repetitivePair(8000),
          fc.constantFrom(...efforts),
          batch,
          ({ base, target }, effort, batchBytes) => {
            const { delta } = makeDelta(dir, base, target, effort, { engine, batchBytes });
            expect(delta.equals(modelDelta(base, target, effort))).toBe(true);
          },
        ),
        propertyRuns(150),
      );
    });

    test('for a block that looks bare behind the copy that leads into it, and is not', () => {
      for (let n = 0; n < 20; n += 1) {
        const copied = pseudoRandomBytes(`copied ${n}`, 300);
        const fresh = pseudoRandomBytes(`fresh ${n}`, 1000);
        const base = Buffer.concat([copied, fresh.subarray(0, 10), Buffer.alloc(3000, droppedCycle)]);
        const target = Buffer.concat([copied, Buffer.alloc(260, droppedCycle), fresh.subarray(10)]);
        const { delta } = makeDelta(dir, base, target, 'max', { engine });
        expect(delta.equals(modelDelta(base, target, 'max'))).toBe(true);
      }
    });

    test('for a bare block whose lowest windows are constant', () => {
      const run = (bytes: number) => Buffer.alloc(bytes, highestByte);
      const [before, after] = ['before', 'after'].map((name) => Buffer.alloc(300, barrenCycle(24, name)));
      const fresh = pseudoRandomBytes('around runs', 2000);
      const base = Buffer.concat([before!, run(260), fresh.subarray(0, 1000), run(1000)]);
      const target = Buffer.concat([after!, run(260), fresh.subarray(1000)]);
      const { delta } = makeDelta(dir, base, target, 'max', { engine });
      expect(delta.equals(modelDelta(base, target, 'max'))).toBe(true);
    });

    test('for texts of several segments, with a run, a move and changes that cross their borders', () => {
      const segment = 2 ** 20;
      const random = pseudoRandomBytes('several segments', segment + 300_000);
      const base = Buffer.concat([random, Buffer.alloc(segment, 7), random.subarray(1000, 5000)]);
      const target = Buffer.concat([
        random.subarray(100_000),
        Buffer.alloc(segment + 40, 7),
        random.subarray(0, 99_990),
        pseudoRandomBytes('fresh', 70_000),
      ]);
      for (let at = 10_000; at < target.length; at += 12_345) target[at] = 1;
      expect(makeDelta(dir, base, target, 'normal', { engine }).delta.equals(modelDelta(base, target, 'normal'))).toBe(
        true,
      );
    });
  },
);
