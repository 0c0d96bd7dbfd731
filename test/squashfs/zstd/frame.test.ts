import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../../src/errors.js';
import { decompressZstd } from '../../../src/squashfs/zstd/frame.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { haveTools } from '../../support/tools.js';
import { programLikeBytes } from '../make-image.js';

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const frame = (...values: readonly number[]) => Uint8Array.from([...MAGIC, ...values]);

/** The three bytes before a block. */
function blockHeader(type: number, sizeBytes: number, last = true): number[] {
  const value = (last ? 1 : 0) | (type << 1) | (sizeBytes << 3);
  return [value & 0xff, (value >> 8) & 0xff, value >> 16];
}

const SINGLE_SEGMENT = 0x20;

/** A frame of one compressed block. */
const compressed = (...body: readonly number[]) => frame(0, 0, ...blockHeader(2, body.length), ...body);

/** One literal and one match, all codes constant: no bits are left for the stream at the end but its mark. */
const ONE_MATCH = [1 << 3, 65, 1, 0x54, 1, 0, 0];

/** Three literals of a prefix code of two symbols, one bit each. */
const prefixCoded = (stream: number) => [0x02 | (3 << 4), 3 << 6, 0, 128, 0x10, stream, 0];

describe('a zstd frame', () => {
  it.each([
    ['a stored block', [SINGLE_SEGMENT, 3, ...blockHeader(0, 3), 65, 66, 67], 'ABC'],
    ['a repeated byte', [SINGLE_SEGMENT, 5, ...blockHeader(1, 5), 65], 'AAAAA'],
    ['two blocks', [SINGLE_SEGMENT, 3, ...blockHeader(1, 2, false), 65, ...blockHeader(0, 1), 66], 'AAB'],
    ['nothing', [SINGLE_SEGMENT, 0, ...blockHeader(0, 0)], ''],
    ['no size, but a window', [0, 0, ...blockHeader(0, 2), 65, 66], 'AB'],
    ['a checksum', [SINGLE_SEGMENT | 4, 1, ...blockHeader(0, 1), 65, 1, 2, 3, 4], 'A'],
    ['literals without sequences', [0, 0, ...blockHeader(2, 5), 3 << 3, 65, 66, 67, 0], 'ABC'],
  ])('may hold %s', (_, input, output) => {
    expect(Buffer.from(decompressZstd(frame(...input), 1000)).toString()).toBe(output);
  });

  it.each([
    ['repeated literals', [1 | (3 << 3), 65, 0], [65, 65, 65]],
    ['a match of constant codes', [...ONE_MATCH, 0b1], [65, 65, 65, 65]],
    ['prefix coded literals', prefixCoded(0b1101), [1, 0, 1]],
  ])('may hold %s in a block', (_, body, output) => {
    expect([...decompressZstd(compressed(...body), 1000)]).toEqual(output);
  });

  it.each([
    [
      'another magic',
      Uint8Array.of(1, 2, 3, 4),
      'byte 4 of the zstd data: expected the magic of a zstd frame, found 0x4030201',
    ],
    ['a reserved bit', frame(SINGLE_SEGMENT | 8, 0), 'expected a reserved bit of 0, found 1'],
    [
      'a dictionary',
      frame(SINGLE_SEGMENT | 1, 7, 0, ...blockHeader(0, 0)),
      'expected no dictionary, found dictionary 7',
    ],
    [
      'a block of a type that does not exist',
      frame(SINGLE_SEGMENT, 3, ...blockHeader(3, 3), 65, 66, 67),
      'expected a block of type 0, 1 or 2, found 3',
    ],
    [
      'a block above the window',
      frame(0, 0, ...blockHeader(1, 1025), 65),
      'expected a block of at most 1024 bytes, found 1025',
    ],
    [
      'more bytes than it says',
      frame(SINGLE_SEGMENT, 2, ...blockHeader(1, 2, false), 65, ...blockHeader(1, 2), 66),
      'expected 2 unpacked bytes, found 4',
    ],
    [
      'more bytes than allowed',
      frame(0, 8, ...blockHeader(1, 1001), 65),
      'expected at most 1000 unpacked bytes, found 1001',
    ],
    [
      'fewer bytes than it says',
      frame(SINGLE_SEGMENT, 2, ...blockHeader(0, 1), 65),
      'expected 2 unpacked bytes, found 1',
    ],
    [
      'bytes behind its end',
      frame(SINGLE_SEGMENT, 1, ...blockHeader(0, 1), 65, 0),
      'expected its end, found 1 more bytes',
    ],
    [
      'an earlier prefix code that is not there',
      frame(SINGLE_SEGMENT, 99, ...blockHeader(2, 6), 0x13, 0x40, 0, 1, 1, 0),
      'a reference to an earlier one, but none came before',
    ],
    [
      'earlier tables that are not there',
      frame(SINGLE_SEGMENT, 99, ...blockHeader(2, 4), 0, 1, 0xfc, 1),
      'a reference to an earlier one, but none came before',
    ],
    [
      'bits that no sequence uses',
      compressed(...ONE_MATCH, 0b10),
      'expected 1 sequences, found data for another number of them',
    ],
    [
      'sequences without their mark',
      compressed(...ONE_MATCH, 0),
      'expected 1 sequences, found data for another number of them',
    ],
    [
      'bits that no literal uses',
      compressed(...prefixCoded(0b11101)),
      'expected 3 literals, found another number of them',
    ],
    [
      'too few bits for its literals',
      compressed(...prefixCoded(0b101)),
      'expected 3 literals, found another number of them',
    ],
    [
      'a match before any byte',
      frame(SINGLE_SEGMENT, 99, ...blockHeader(2, 7), 0, 1, 0x54, 0, 0, 0, 1),
      'expected a distance of 1 to 0, found 4',
    ],
  ])('with %s is refused', (_, input, message) => {
    expect(() => decompressZstd(input, 1000)).toThrow(
      expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(message) }),
    );
  });

  it('of 18 bytes that asks for gigabytes of matches is refused at the first of them', () => {
    const body = [0, 255, 0xff, 0xff, 0x54, 0, 0, 52, 1];
    const bomb = frame(SINGLE_SEGMENT, 255, ...blockHeader(2, body.length), ...body);
    expect(() => decompressZstd(bomb, 1_048_576)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  });

  it('gives FORMAT or data, and never more than is allowed, whatever its bytes are', () => {
    const input = fc.tuple(fc.constantFrom(0, SINGLE_SEGMENT), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(input, fc.integer({ min: 0, max: 4096 }), ([descriptor, bytes], maxBytes) => {
        // Of random bytes almost none pass the headers, so these are given.
        const block = frame(descriptor, 255, ...blockHeader(2, bytes.length), ...bytes);
        expect(lengthOrFormat(block, maxBytes)).toBeLessThanOrEqual(maxBytes);
      }),
      { numRuns: 20_000, seed: 1 },
    );
  });
});

/** The unpacked length, 0 where the frame is refused. */
function lengthOrFormat(input: Uint8Array, maxBytes: number): number {
  try {
    return decompressZstd(input, maxBytes).length;
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return 0;
    throw error;
  }
}

describe.skipIf(!haveTools('zstd'))('a frame made by zstd', () => {
  const samples: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'one byte': Buffer.from('x'),
    'a page': programLikeBytes('page', 4096),
    zeros: Buffer.alloc(1_000_000),
    random: pseudoRandomBytes('zstd', 300_000),
    'program-like': programLikeBytes('zstd', 900_000),
    'a few symbols': Buffer.from(pseudoRandomBytes('few', 400_000).map((byte) => byte & 3)),
    'skewed symbols': Buffer.from(
      pseudoRandomBytes('skewed', 400_000).map((byte) => Math.floor(40_000 / (1 + byte) ** 2) & 0xff),
    ),
    'far repeats': Buffer.concat([pseudoRandomBytes('far', 500_000), pseudoRandomBytes('far', 500_000)]),
  };
  const levels = ['-1', '-3', '-9', '-15', '-19', '--ultra -22', '--fast=5', '-3 --no-check', '-3 --long=27'];

  it.each(levels)('with %s unpacks to what was packed', (level) => {
    for (const [name, sample] of Object.entries(samples)) {
      const packed = execFileSync('zstd', ['-q', '-c', `--stream-size=${sample.length}`, ...level.split(' ')], {
        input: sample,
        maxBuffer: 2 ** 30,
      });
      expect(Buffer.compare(decompressZstd(packed, 1_048_576), sample), name).toBe(0);
    }
  });

  it('that does not say its size unpacks to what was packed', () => {
    const sample = programLikeBytes('streamed', 300_000);
    const packed = execFileSync('zstd', ['-q', '-c'], { input: sample });
    expect(Buffer.compare(decompressZstd(packed, 1_048_576), sample)).toBe(0);
  });

  it('is refused wherever it is cut off', () => {
    const packed = execFileSync('zstd', ['-q', '-c', '-9'], { input: programLikeBytes('cut', 20_000) });
    for (let length = 0; length < packed.length; length += 7) {
      expect(() => decompressZstd(packed.subarray(0, length), 20_000)).toThrow(
        expect.objectContaining({ code: 'FORMAT' }),
      );
    }
  });

  it('gives FORMAT or data with any bit changed', () => {
    const packed = execFileSync('zstd', ['-q', '-c', '-19'], { input: programLikeBytes('flip', 9000) });
    const random = pseudoRandomNumbers('flips');
    for (let i = 0; i < 5000; i += 1) {
      const flipped = Uint8Array.from(packed);
      const at = Math.floor(random() * packed.length);
      flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8));
      expect(lengthOrFormat(flipped, 10_000)).toBeLessThanOrEqual(10_000);
    }
  });
});
