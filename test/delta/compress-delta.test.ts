import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compressDelta } from '../../src/delta/compress-delta.js';
import type { DeltaHooks } from '../../src/delta/hooks.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { fillDisk } from './support/full-disk.js';
import { checkPacked, packed } from './support/packed.js';
import { propertyRuns } from './support/properties.js';

const FRAME = 8 * 1024 * 1024;

/** Neither random nor constant: words of a small vocabulary. */
function compressibleBytes(seed: string, sizeBytes: number): Buffer {
  return Buffer.from(pseudoRandomBytes(seed, sizeBytes).map((byte, at) => (at % 3 === 0 ? byte % 7 : byte % 3)));
}

const twoFrames = compressibleBytes('two frames', FRAME + 100_001);

describe('a packed delta', () => {
  test.for([0, 1, 3, 4, 7, 8, 31, 32, 33, 100, 131_072, 131_073, 1_000_000])(
    'of %i bytes is unpacked by zstd, which finds its checksum right',
    async (size, context) => {
      requireTools(context, 'zstd');
      const content = compressibleBytes(`${size}`, size);
      const { zstPath, zst, sizes } = await packed(await temporaryDirectory(), content, 'normal');
      expect(sizes).toEqual({ deltaBytes: size, zstBytes: zst.length });
      expect(unpackedByZstd(zstPath).equals(content)).toBe(true);
    },
  );

  test.for(['fast', 'normal', 'max'] as const)('made with effort %s is unpacked by zstd', async (effort, context) => {
    requireTools(context, 'zstd');
    const { zstPath } = await packed(await temporaryDirectory(), twoFrames.subarray(0, 500_000), effort);
    expect(unpackedByZstd(zstPath).equals(twoFrames.subarray(0, 500_000))).toBe(true);
  });

  test('of several frames tells zstd its size and checksum, and is unpacked by it', async (context) => {
    requireTools(context, 'zstd');
    const { zstPath, zst } = await packed(await temporaryDirectory(), twoFrames);
    expect(zst.subarray(0, 9).toString('hex')).toBe('28b52ffda4' + '00008000');
    execFileSync('zstd', ['-t', '-q', zstPath]);
    expect(unpackedByZstd(zstPath).equals(twoFrames)).toBe(true);
    const listed = execFileSync('zstd', ['-lv', zstPath], { encoding: 'utf8' });
    expect(listed).toMatch(/Frames: 2\n/);
    expect(listed).toContain(`(${twoFrames.length} B)`);
    expect(listed).toContain('Check: XXH64');
  });

  test('of bytes that cannot be packed is hardly larger', async () => {
    const content = pseudoRandomBytes('incompressible', FRAME + 5);
    const { zstPath, sizes } = await packed(await temporaryDirectory(), content);
    expect(sizes.zstBytes - content.length).toBeLessThan(300);
    checkPacked(zstPath, content);
  });

  test('has the same bytes every time', async () => {
    const dir = await temporaryDirectory();
    const { zst } = await packed(dir, twoFrames);
    expect((await packed(dir, twoFrames)).zst.equals(zst)).toBe(true);
  });

  test('unpacks to any bytes that were packed, with ours and with zstd', async (context) => {
    requireTools(context, 'zstd');
    const dir = await temporaryDirectory();
    const pieces = fc.array(
      fc.record({ seed: fc.nat(9), length: fc.integer({ min: 0, max: 40_000 }), packs: fc.boolean() }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, fc.constantFrom('fast', 'normal', 'max'), async (parts, effort) => {
        const content = Buffer.concat(
          parts.map(({ seed, length, packs }) => (packs ? compressibleBytes : pseudoRandomBytes)(`${seed}`, length)),
        );
        const { zstPath } = await packed(dir, content, effort);
        checkPacked(zstPath, content);
        expect(unpackedByZstd(zstPath).equals(content)).toBe(true);
      }),
      propertyRuns(25),
    );
  });
});

describe('packing a delta', () => {
  test('reports each frame, and lets the event loop give its memory back', async () => {
    const reports: number[] = [];
    let turns = 0;
    const hooks: DeltaHooks = {
      onProgress: (done) => {
        expect(turns).toBe(reports.length);
        reports.push(done);
        setImmediate(() => {
          turns += 1;
        });
      },
    };
    await packed(await temporaryDirectory(), twoFrames, 'fast', hooks);
    expect(reports).toEqual([FRAME, twoFrames.length]);
  });

  test('gives up when the result grows too large, and leaves nothing behind', async () => {
    const dir = await temporaryDirectory();
    const { deltaPath, zstPath, sizes } = await packed(dir, twoFrames);
    const request = { deltaPath, zstPath: join(dir, 'again'), effort: 'fast' } as const;
    await expect(compressDelta({ ...request, maxZstBytes: sizes.zstBytes - 1 })).rejects.toMatchObject({
      code: 'DELTA_TOO_LARGE',
      message: expect.stringContaining(deltaPath),
    });
    expect(readdirSync(dir).sort()).toEqual(['delta', 'delta.zst']);
    expect(await compressDelta({ ...request, maxZstBytes: sizes.zstBytes })).toEqual(sizes);
    expect(existsSync(zstPath)).toBe(true);
  });

  test('is stopped by the caller, and leaves nothing behind', async () => {
    const dir = await temporaryDirectory();
    const controller = new AbortController();
    const hooks = { onProgress: () => controller.abort(), signal: controller.signal };
    await expect(packed(dir, twoFrames, 'fast', hooks)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(readdirSync(dir)).toEqual(['delta']);
  });

  test('refuses a delta that grows meanwhile', async () => {
    const dir = await temporaryDirectory();
    const hooks = { onProgress: () => appendFileSync(join(dir, 'delta'), 'x') };
    await expect(packed(dir, twoFrames, 'fast', hooks)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
    expect(readdirSync(dir)).toEqual(['delta']);
  });

  test('on a full disk fails and leaves nothing behind', async () => {
    const dir = await temporaryDirectory();
    const { deltaPath } = await packed(dir, twoFrames.subarray(0, 1000));
    fillDisk();
    const request = { deltaPath, zstPath: join(dir, 'again'), effort: 'fast' } as const;
    await expect(compressDelta(request)).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(readdirSync(dir).sort()).toEqual(['delta', 'delta.zst']);
  });

  test('says so where there is no zstd library for the machine', async () => {
    const script = `
      import { compressDelta } from ${JSON.stringify(new URL('../../dist/delta/compress-delta.js', import.meta.url).href)};
      compressDelta({ deltaPath: 'x', zstPath: 'y', effort: 'fast' }).catch(({ code, hint }) => console.log(code, hint));`;
    const env = { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent/library.node' };
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env });
    expect(told).toMatch(/^CONFIG make the deltas without compressing them/);
  });
});

function unpackedByZstd(path: string): Buffer {
  return execFileSync('zstd', ['-d', '-q', '-c', path], { maxBuffer: 64 * 1024 * 1024 });
}
