import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../src/errors.js';
import { decompressLz4Block } from '../../src/squashfs/lz4-block.js';

const unpack = (input: readonly number[], maxBytes = 1000) =>
  Buffer.from(decompressLz4Block(Uint8Array.from(input), maxBytes)).toString();

const ascii = (text: string) => [...Buffer.from(text)];

describe('an LZ4 block', () => {
  it.each([
    ['literals alone', [0x30, ...ascii('abc')], 'abc'],
    ['a match that overlaps with itself', [0x14, ...ascii('a'), 1, 0, 0x10, ...ascii('b')], 'aaaaaaaaab'],
    [
      'lengths that go on',
      [0xff, 5, ...ascii('abcdefghijklmnopqrst'), 20, 0, 255, 1, 0x00],
      `${'abcdefghijklmnopqrst'.repeat(14)}abcdefghijklmno`,
    ],
    ['nothing', [0x00], ''],
  ])('may hold %s', (_, input, output) => {
    expect(unpack(input)).toBe(output);
  });

  it.each([
    ['a distance of 0', [0x10, 65, 0, 0, 0x00], 'byte 4 of the lz4 data: expected a distance of 1 to 1, found 0'],
    [
      'a distance before the start',
      [0x10, 65, 2, 0, 0x00],
      'byte 4 of the lz4 data: expected a distance of 1 to 1, found 2',
    ],
    ['missing literals', [0x20, 65], 'byte 1 of the lz4 data: expected 2 literals, found 1'],
    ['half a distance', [0x10, 65, 1], 'byte 3 of the lz4 data: expected more data, found its end'],
    ['a length without an end', [0xf0, 255, 255], 'byte 3 of the lz4 data: expected more data, found its end'],
    [
      'too much of a match',
      [0x1f, 65, 1, 0, 255, 255, 255, 255, 0, 0],
      'byte 9 of the lz4 data: expected at most 1000 unpacked bytes, found 1040',
    ],
    ['no byte', [], 'byte 0 of the lz4 data: expected more data, found its end'],
    ['no last literals', [0x10, 65, 1, 0], 'byte 4 of the lz4 data: expected more data, found its end'],
  ])('with %s is refused', (_, input, message) => {
    expect(() => unpack(input)).toThrow(expect.objectContaining({ code: 'FORMAT', message }));
  });

  it('gives FORMAT or data, and never more than is allowed, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 4096 }), (input, maxBytes) => {
        try {
          expect(decompressLz4Block(input, maxBytes).length).toBeLessThanOrEqual(maxBytes);
        } catch (error) {
          if (!hasCode(error, 'FORMAT')) throw error;
        }
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });
});
