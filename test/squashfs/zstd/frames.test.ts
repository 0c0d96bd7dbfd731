import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../../src/errors.js';
import { type FramesLimits, unpackZstdFrames } from '../../../src/squashfs/zstd/frames.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { haveTools } from '../../support/tools.js';
import { programLikeBytes } from '../make-image.js';

const MIB = 1024 * 1024;
const ROOMY: FramesLimits = { maxWindowBytes: 8 * MIB, maxOutputBytes: 100 * MIB };

function unpacked(packed: Uint8Array, limits: Partial<FramesLimits> = {}): Buffer {
  const source = {
    sizeBytes: packed.length,
    read: (into: Uint8Array, at: number, length: number, position: number) => {
      into.set(packed.subarray(position, position + length), at);
    },
  };
  const pieces: Buffer[] = [];
  for (const piece of unpackZstdFrames(source, { ...ROOMY, ...limits })) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function formatError(message: string) {
  return expect.objectContaining({ code: 'FORMAT', message: expect.stringContaining(message) });
}

function zstd(input: Uint8Array, ...options: string[]): Buffer {
  return execFileSync('zstd', ['-q', '-c', ...options], { input, maxBuffer: 2 ** 30 });
}

describe.skipIf(!haveTools('zstd'))('a row of zstd frames', () => {
  it.each([
    ['-3', 2],
    ['-9', 4],
    ['-19', 8],
  ])('of one frame with matches from as far back as the window of level %s reaches unpacks', (level, windowMib) => {
    const part = pseudoRandomBytes(level, windowMib * MIB - 10_000);
    const large = Buffer.concat([part, part, part]);
    const packed = zstd(large, level, `--stream-size=${large.length}`);
    expect(packed.length).toBeLessThan(1.5 * part.length);
    expect(unpacked(packed).equals(large)).toBe(true);
  });

  it('unpacks frame by frame, empty ones too', () => {
    const parts = ['first', 'second', ''].map((seed) => programLikeBytes(seed, seed === '' ? 0 : 300_000));
    const packed = Buffer.concat([...parts, ...parts].map((part) => zstd(part)));
    expect(unpacked(packed).equals(Buffer.concat([...parts, ...parts]))).toBe(true);
  });

  it('is refused as soon as it is larger than is allowed, to the byte', () => {
    const zeros = Buffer.alloc(3 * MIB);
    const packed = Buffer.concat([zstd(zeros), zstd(zeros)]);
    expect(unpacked(packed, { maxOutputBytes: 6 * MIB })).toHaveLength(6 * MIB);
    const message = `expected at most ${6 * MIB - 1} unpacked bytes, found ${6 * MIB} or more`;
    expect(() => unpacked(packed, { maxOutputBytes: 6 * MIB - 1 })).toThrow(formatError(message));
    expect(() => unpacked(packed, { maxOutputBytes: 10 })).toThrow(
      formatError(`expected at most 10 unpacked bytes, found ${128 * 1024} or more`),
    );
  });

  it('is refused where a frame needs a larger window than is allowed', () => {
    const large = programLikeBytes('large', 9 * MIB);
    const packed = zstd(large, '-3', '--long=27', `--stream-size=${large.length}`);
    expect(() => unpacked(packed)).toThrow(
      formatError(`expected a window of at most ${8 * MIB} bytes, found one of ${large.length}`),
    );
    // A window of 2^41 bytes is asked for by two bytes.
    const huge = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0);
    expect(() => unpacked(huge)).toThrow(formatError('expected a window of at most'));
  });

  it('is refused wherever it is cut off, but between frames, and with anything behind it', () => {
    const packed = zstd(programLikeBytes('cut', 20_000), '-9');
    const two = Buffer.concat([packed, packed]);
    for (let length = 0; length < two.length; length += 61) {
      if (length === packed.length) continue;
      expect(() => unpacked(two.subarray(0, length)), `${length}`).toThrow(expect.objectContaining({ code: 'FORMAT' }));
    }
    expect(() => unpacked(Buffer.concat([packed, Buffer.of(0)]))).toThrow(formatError(`byte ${packed.length}`));
  });

  it('is refused where a frame has less or more than its header says', () => {
    const packed = zstd(Buffer.alloc(1000), '--stream-size=1000');
    for (const size of [999, 1001]) {
      const other = Buffer.from(packed);
      expect(other.readUInt16LE(5) + 256).toBe(1000);
      other.writeUInt16LE(size - 256, 5);
      expect(() => unpacked(other)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
    }
  });

  it('tells where in the file it is damaged', () => {
    const packed = zstd(pseudoRandomBytes('stored', 1000));
    const two = Buffer.concat([packed, packed]);
    two[packed.length] = 0;
    expect(() => unpacked(two)).toThrow(formatError(`byte ${packed.length + 4} of the zstd data: expected the magic`));
  });

  it('gives FORMAT or data with any bit changed, and whatever its bytes are', () => {
    const packed = zstd(programLikeBytes('flip', 9000), '-19');
    const random = pseudoRandomNumbers('flips of frames');
    for (let i = 0; i < 3000; i += 1) {
      const flipped = Uint8Array.from(packed);
      const at = Math.floor(random() * packed.length);
      flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8));
      expect(lengthOrFormat(flipped)).toBeLessThanOrEqual(10_000);
    }
    for (let i = 0; i < 3000; i += 1) {
      expect(
        lengthOrFormat(Buffer.concat([packed.subarray(0, 4), pseudoRandomBytes(`junk ${i}`, 50)])),
      ).toBeLessThanOrEqual(10_000);
    }
  });
});

/** The unpacked length, 0 where it is refused. */
function lengthOrFormat(packed: Uint8Array): number {
  try {
    return unpacked(packed, { maxOutputBytes: 10_000 }).length;
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return 0;
    throw error;
  }
}
