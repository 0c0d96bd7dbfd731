import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../src/errors.js';
import { decompressLzo1x } from '../../src/squashfs/lzo1x.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { encodeLzo1x, fitsLzo1x, type LzStep, unpackSteps } from './lzo1x-encoder.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const END = [0x11, 0, 0];

const random = pseudoRandomBytes('literals', 70_000);

/** Distances and lengths round the limits of the forms that matches have. */
const match = fc.record({
  distance: fc.oneof(
    fc.integer({ min: 1, max: 1024 }),
    fc.integer({ min: 1025, max: 3080 }),
    fc.integer({ min: 3081, max: 49_151 }),
  ),
  length: fc.oneof(fc.integer({ min: 2, max: 4 }), fc.integer({ min: 5, max: 40 }), fc.integer({ min: 41, max: 700 })),
  literals: fc.oneof(fc.nat(3), fc.integer({ min: 4, max: 300 })),
});

/** Steps that LZO1X can hold: literals first, then matches inside what is there, with literals or none between. */
const steps: fc.Arbitrary<LzStep[]> = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3000, max: 60_000 })),
    fc.array(match, { maxLength: 40 }),
  )
  .map(([first, matches]) => {
    const result: LzStep[] = [{ literals: random.subarray(0, first) }];
    let [size, before] = [first, first];
    for (const { distance, length, literals } of matches) {
      if (distance > size || !fitsLzo1x(distance, length, before)) continue;
      result.push({ distance, length });
      if (literals > 0) result.push({ literals: random.subarray(size, size + literals) });
      size += length + literals;
      before = literals;
    }
    return result;
  });

describe('an LZO1X stream', () => {
  it('unpacks to what its instructions say, in all their forms', () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const expected = Uint8Array.from(unpackSteps(plan));
        expect(Buffer.compare(decompressLzo1x(encodeLzo1x(plan), expected.length), expected)).toBe(0);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('gives FORMAT or data, and never more than is allowed, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 4096 }), (input, maxBytes) => {
        try {
          expect(decompressLzo1x(input, maxBytes).length).toBeLessThanOrEqual(maxBytes);
        } catch (error) {
          if (!hasCode(error, 'FORMAT')) throw error;
        }
      }),
      { numRuns: 20_000, seed: 2 },
    );
  });

  it('is refused wherever it is cut off or goes on', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (plan, cut) => {
        const packed = encodeLzo1x(plan);
        expect(() => decompressLzo1x(packed.subarray(0, cut % packed.length), 200_000)).toThrow(
          expect.objectContaining({ code: 'FORMAT' }),
        );
        expect(() => decompressLzo1x(bytes(...packed, 0), 200_000)).toThrow('expected its end, found 1 more bytes');
      }),
      { numRuns: 50, seed: 3 },
    );
  });

  it.each([
    [
      'a match before any byte',
      [0x11, 4, 0, ...END],
      'byte 3 of the lzo data: expected a distance of 1 to 0, found 16385',
    ],
    [
      'a far match after five literals at the start',
      [22, 1, 2, 3, 4, 5, 0, 0, ...END],
      'byte 8 of the lzo data: expected a distance of 1 to 5, found 2049',
    ],
    [
      'a match too far back',
      [18, 65, 0x4c, 0, ...END],
      'byte 4 of the lzo data: expected a distance of 1 to 1, found 4',
    ],
    ['more literals than there are', [20, 65], 'byte 1 of the lzo data: expected 3 literals, found 1'],
    [
      'too many literals',
      [17 + 101, ...Array<number>(101).fill(65), ...END],
      'byte 1 of the lzo data: expected at most 100 unpacked bytes, found 101',
    ],
    [
      'too long a match',
      [21, 1, 2, 3, 4, 0x20, 200, 0, 0, ...END],
      'byte 9 of the lzo data: expected at most 100 unpacked bytes, found 237',
    ],
    [
      'a length without an end',
      [21, 1, 2, 3, 4, 0x20, 0, 0],
      'byte 8 of the lzo data: expected more data, found its end',
    ],
    [
      'an end marker with literals',
      [18, 65, 0x11, 1, 0, 66],
      'byte 5 of the lzo data: expected an end marker, found a malformed one',
    ],
    [
      'an end marker with a length',
      [18, 65, 0x12, 0, 0],
      'byte 5 of the lzo data: expected an end marker, found a malformed one',
    ],
    ['no byte', [], 'byte 0 of the lzo data: expected more data, found its end'],
  ])('with %s is refused', (_, input, message) => {
    expect(() => decompressLzo1x(bytes(...input), 100)).toThrow(expect.objectContaining({ code: 'FORMAT', message }));
  });

  it('may be empty', () => {
    expect(decompressLzo1x(bytes(...END), 100)).toHaveLength(0);
  });
});
