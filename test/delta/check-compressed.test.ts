import { execFileSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkCompressedDelta } from '../../src/delta/check-compressed.js';
import { decompressZstd } from '../../src/squashfs/zstd/frame.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { caught } from './support/caught.js';
import { checkPacked, packed } from './support/packed.js';

const FRAME = 8 * 1024 * 1024;
const HEADER = 9;

/** Stored and packed blocks, some hundred bytes. */
const small = Buffer.concat([Buffer.alloc(2000, 'delta'), pseudoRandomBytes('check', 150), Buffer.alloc(500)]);
const large = Buffer.concat([Buffer.alloc(FRAME, 'frame'), pseudoRandomBytes('rest', 1000)]);

async function packedSmall() {
  return packed(await temporaryDirectory(), small, 'normal');
}

describe('a packed delta that is checked', () => {
  test('passes when it unpacks to the delta, and reports its progress', async () => {
    const { zstPath } = await packed(await temporaryDirectory(), large);
    const reports: number[] = [];
    checkPacked(zstPath, large, { onProgress: (done) => void reports.push(done) });
    expect(reports).toEqual([FRAME, large.length]);
  });

  test('is unpacked one frame after the other, each bounded', async () => {
    const { zstPath, zst } = await packed(await temporaryDirectory(), large);
    const frames: Buffer[] = [];
    const limits: number[] = [];
    const request = { zstPath, deltaBytes: large.length, deltaSha256: '' };
    const error = caught(() =>
      checkCompressedDelta(request, (frame, maxBytes) => {
        limits.push(maxBytes);
        frames.push(Buffer.from(frame));
        return decompressZstd(frame, maxBytes);
      }),
    );
    expect(error.code).toBe('VERIFICATION');
    expect(limits).toEqual([FRAME, large.length - FRAME]);
    expect(Buffer.concat(frames).equals(zst)).toBe(true);
  });

  test('fails when it unpacks to other bytes, fewer or more', async () => {
    const { zstPath } = await packedSmall();
    const other = Buffer.from(small);
    other[0] = 0;
    for (const expected of [other, small.subarray(1), Buffer.concat([small, small])]) {
      expect(caught(() => checkPacked(zstPath, expected))).toMatchObject({
        code: 'VERIFICATION',
        message: expect.stringContaining(zstPath),
      });
    }
  });

  test('fails as malformed wherever it is cut off', async () => {
    const { zstPath, zst } = await packedSmall();
    for (let length = 0; length < zst.length; length += 1) {
      writeFileSync(zstPath, zst.subarray(0, length));
      expect(caught(() => checkPacked(zstPath, small))).toMatchObject({
        code: 'FORMAT',
        message: expect.stringMatching(/at byte \d+: expected .+, found .+/),
      });
    }
  });

  test('fails with any one bit flipped', async () => {
    const { zstPath, zst } = await packedSmall();
    for (let bit = 0; bit < 8 * zst.length; bit += 1) {
      const damaged = Buffer.from(zst);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(zstPath, damaged);
      expect(['FORMAT', 'VERIFICATION']).toContain(caught(() => checkPacked(zstPath, small)).code);
    }
  });

  test('fails where anything follows it', async () => {
    const { zstPath, zst } = await packedSmall();
    appendFileSync(zstPath, zst);
    expect(caught(() => checkPacked(zstPath, small)).code).toBe('VERIFICATION');
    writeFileSync(zstPath, Buffer.concat([zst, Buffer.of(0)]));
    expect(caught(() => checkPacked(zstPath, small)).code).toBe('FORMAT');
  });

  test('fails where a frame has less than it could, though it unpacks to the same', async () => {
    const dir = await temporaryDirectory();
    const { zst } = await packed(dir, small.subarray(0, 10));
    const { zst: rest, zstPath } = await packed(dir, small.subarray(10));
    writeFileSync(zstPath, Buffer.concat([zst, rest]));
    expect(caught(() => checkPacked(zstPath, small)).code).toBe('VERIFICATION');
  });

  test('fails as malformed when zstd made it with its own headers', async (context) => {
    requireTools(context, 'zstd');
    const { deltaPath, zstPath } = await packedSmall();
    execFileSync('zstd', ['-q', '-f', '--no-check', deltaPath, '-o', zstPath]);
    expect(caught(() => checkPacked(zstPath, small)).code).toBe('FORMAT');
  });

  test('fails before it is unpacked when a frame has more blocks than it may', async () => {
    const { zstPath, zst } = await packedSmall();
    // Empty stored blocks without a last one.
    writeFileSync(zstPath, Buffer.concat([zst.subarray(0, HEADER), Buffer.alloc(9 * 1024 * 1024)]));
    const request = { zstPath, deltaBytes: small.length, deltaSha256: '' };
    const error = caught(() => checkCompressedDelta(request, () => expect.unreachable('a frame was unpacked')));
    expect(error).toMatchObject({ code: 'FORMAT', message: expect.stringContaining('expected the header of a block') });
  });

  test('is refused when it changes meanwhile', async () => {
    const { zstPath } = await packed(await temporaryDirectory(), small);
    const hooks = { onProgress: () => appendFileSync(zstPath, 'x') };
    expect(caught(() => checkPacked(zstPath, small, hooks)).code).toBe('CHANGED_WHILE_READ');
  });

  test('is not said to be damaged when the decoder has a bug', async () => {
    const { zstPath } = await packedSmall();
    const request = { zstPath, deltaBytes: small.length, deltaSha256: '' };
    const decoder = () => {
      throw new TypeError('a bug');
    };
    expect(() => checkCompressedDelta(request, decoder)).toThrow(TypeError);
  });
});
