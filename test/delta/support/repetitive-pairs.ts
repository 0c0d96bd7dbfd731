import fc from 'fast-check';
import { sampleAnchors } from '../../../src/delta/sample.js';
import { pseudoRandomBytes } from '../../support/pseudo-random.js';
import type { EditedPair } from './edited-pairs.js';

/** Repeated, each position of it is a raw anchor, at any density up to one in 2^7. */
export const denseCycle = Buffer.from('7b7d7e', 'hex');

/** Repeated, one position in four is a raw anchor, up to 2^8, and all are dropped. */
export const droppedCycle = Buffer.from('9ce66f5e', 'hex');

/** Of all constant windows those of this byte have the highest rank. */
export const highestByte = Buffer.of(198);

/** A cycle that, repeated, has no raw anchor at the highest density, and so at none. */
export function barrenCycle(period: number, seed = ''): Buffer {
  const anchors = new Int32Array(2 * period);
  for (let n = 0; ; n += 1) {
    const cycle = pseudoRandomBytes(`barren ${period} ${seed} ${n}`, period);
    const text = Buffer.alloc(3 * period + 32, cycle);
    const view = new DataView(text.buffer, text.byteOffset, text.length);
    if (sampleAnchors(view, 0, anchors.length, 5, anchors) === 0) return cycle;
  }
}

interface Stretch {
  /** Which of the pair's cycles is repeated; behind the last one nothing is, and the bytes are random. */
  readonly cycle: number;
  readonly phase: number;
  readonly sizeBytes: number;
}

/**
 * Pairs of which both have stretches of up to `maxBytes` bytes of the same few cycles, of 1 to 64 bytes, in whatever
 * order and phase: with hardly any anchors, with far too many, constant, and from one to the other in midst of a block.
 */
export function repetitivePair(maxBytes: number): fc.Arbitrary<EditedPair> {
  const seed = fc.nat({ max: 1_000_000 });
  const random = fc.tuple(seed, fc.integer({ min: 1, max: 64 })).map(([n, bytes]) => pseudoRandomBytes(`${n}`, bytes));
  const constant = fc.nat({ max: 255 }).map((byte) => Buffer.of(byte));
  const special = fc.constantFrom(denseCycle, droppedCycle, highestByte, Buffer.of(0));
  const cycle = fc.oneof({ arbitrary: random, weight: 3 }, { arbitrary: special, weight: 3 }, constant);
  const cycles = fc.array(cycle, { minLength: 1, maxLength: 4 });
  const size = fc.oneof(fc.nat({ max: maxBytes }), fc.nat({ max: Math.min(100, maxBytes) }));
  const stretch = fc.record({ cycle: fc.nat({ max: 4 }), phase: fc.nat({ max: 63 }), sizeBytes: size });
  const stretches = fc.array(stretch, { maxLength: 6 });
  return fc
    .record({ cycles, base: stretches, target: stretches })
    .map(({ cycles, base, target }) => ({ base: textOf(base, cycles), target: textOf(target, cycles) }));
}

function textOf(stretches: readonly Stretch[], cycles: readonly Buffer[]): Buffer {
  return Buffer.concat(
    stretches.map(({ cycle, phase, sizeBytes }, n) => {
      const repeated = cycles[cycle];
      if (repeated === undefined) return pseudoRandomBytes(`between ${n}`, sizeBytes);
      return Buffer.alloc(phase + sizeBytes, repeated).subarray(phase);
    }),
  );
}
