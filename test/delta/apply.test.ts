import { createHash } from 'node:crypto';
import fs, { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { applyDelta, applyDeltaToFile, streamTarget } from '../../src/delta/apply.js';
import { DeltaPatcher } from '../../src/delta/patch.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { makeDelta } from './support/engine.js';
import { fillDisk } from './support/full-disk.js';

const base = pseudoRandomBytes('apply', 3_000_000);
const target = Buffer.concat([
  base.subarray(1_000_000),
  pseudoRandomBytes('apply fresh', 200_000),
  base.subarray(0, 999_000),
]);
for (let at = 0; at < target.length; at += 5000) target[at] = 0;

async function workshop() {
  const dir = await temporaryDirectory();
  const made = makeDelta(dir, base, target);
  return { dir, ...made, request: { basePath: made.basePath, deltaPath: made.deltaPath, targetBytes: target.length } };
}

describe('a delta that is applied to a sink', () => {
  test('yields the target in order, in pieces of at most 128 KiB', async () => {
    const { request } = await workshop();
    const pieces: Buffer[] = [];
    applyDelta(request, (bytes) => void pieces.push(Buffer.from(bytes)));
    expect(Buffer.concat(pieces).equals(target)).toBe(true);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(2 ** 17);
  });

  test('reports the bytes of the target that are done', async () => {
    const { request } = await workshop();
    const seen: number[] = [];
    applyDelta(request, () => undefined, { onProgress: (bytesDone) => void seen.push(bytesDone) });
    const steps = Array.from({ length: Math.floor(target.length / 2 ** 17) }, (_, step) => (step + 1) * 2 ** 17);
    expect(seen).toEqual([...steps, target.length]);
  });

  test.each([-1, 1])('must have the expected size, not one that differs by %d', async (difference) => {
    const { request } = await workshop();
    const error = caught(() => applyDelta({ ...request, targetBytes: target.length + difference }, () => undefined));
    expect(error).toMatchObject({ code: 'FORMAT', data: { path: request.deltaPath } });
  });

  test('is stopped by the caller', async () => {
    const { request } = await workshop();
    const controller = new AbortController();
    const seen: number[] = [];
    const sink = (bytes: Uint8Array) => {
      seen.push(bytes.length);
      controller.abort();
    };
    expect(caught(() => applyDelta(request, sink, { signal: controller.signal })).code).toBe('INTERRUPTED');
    expect(seen).toHaveLength(1);
  });

  test('passes on what the sink throws', async () => {
    const { request } = await workshop();
    const sink = () => {
      throw new RangeError('full');
    };
    expect(() => applyDelta(request, sink)).toThrow(RangeError);
  });

  test('to another base fails when it reaches past its end', async () => {
    const { request, basePath } = await workshop();
    truncateSync(basePath, 1_500_000);
    const error = caught(() => applyDelta(request, () => undefined));
    expect(error.code).toBe('FORMAT');
    expect(error.message).toContain("expected a copy inside the base's 1500000 bytes");
  });

  test('fails when the base gets shorter on the way', async () => {
    const { request, basePath } = await workshop();
    const error = caught(() => applyDelta(request, () => truncateSync(basePath, 100)));
    expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: basePath } });
  });
});

test('base and delta must not be written to while a delta is applied', async () => {
  for (const name of ['basePath', 'deltaPath'] as const) {
    const { request } = await workshop();
    const error = caught(() => applyDelta(request, () => utimesSync(request[name], 1, 1)));
    expect(error).toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path: request[name] } });
  }
});

describe('a delta that is applied to a file', () => {
  test.each([
    { sync: true, syncs: 2 }, // of the file and of its directory
    { sync: false, syncs: 0 },
  ])('yields the target and its size, and replaces what was there (sync: $sync)', async ({ sync, syncs }) => {
    const { dir, request } = await workshop();
    const targetPath = join(dir, 'new');
    writeFileSync(targetPath, 'old');
    using fsync = vi.spyOn(fs, 'fsyncSync');
    expect(await applyDeltaToFile({ ...request, targetPath, sync })).toBe(target.length);
    expect(fsync).toHaveBeenCalledTimes(syncs);
    expect(readFileSync(targetPath).equals(target)).toBe(true);
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test.each([true, false])(
    'with the expected sha256 is put in place, and with another is not (sync: %s)',
    async (sync) => {
      const { dir, request } = await workshop();
      const targetPath = join(dir, 'new');
      const before = readdirSync(dir);
      const sha256 = createHash('sha256').update(target).digest('hex');
      const other = `${sha256.slice(1)}0`;
      await expect(applyDeltaToFile({ ...request, targetPath, sha256: other, sync })).rejects.toMatchObject({
        code: 'VERIFICATION',
        data: { path: request.deltaPath, base: request.basePath, expected: other, found: sha256 },
      });
      expect(readdirSync(dir)).toEqual(before);
      expect(await applyDeltaToFile({ ...request, targetPath, sha256, sync })).toBe(target.length);
    },
  );

  test('lets the event loop run on the way', async () => {
    const { dir, basePath } = await workshop();
    const deltaPath = join(dir, 'long.rdiff');
    // Copies the whole base of 3,000,000 bytes 300 times.
    const copy = Buffer.from('4700002dc6c0', 'hex');
    writeFileSync(deltaPath, Buffer.concat([Buffer.from('72730236', 'hex'), ...Array(300).fill(copy), Buffer.of(0)]));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 5);
    const applying = streamTarget({ basePath, deltaPath }, async () => undefined, { signal: stop.signal });
    await expect(applying).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const stopLater = new AbortController();
    setTimeout(() => stopLater.abort(), 5);
    const request = { basePath, deltaPath, targetPath: join(dir, 'long'), sync: false };
    await expect(applyDeltaToFile(request, { signal: stopLater.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    expect(existsSync(join(dir, 'long'))).toBe(false);
  });

  test('needs no size', async () => {
    const { dir, basePath, deltaPath } = await workshop();
    expect(await applyDeltaToFile({ basePath, deltaPath, targetPath: join(dir, 'new') })).toBe(target.length);
  });

  test.each([true, false])('leaves the old file and nothing else when it fails (sync: %s)', async (sync) => {
    const { dir, request } = await workshop();
    const targetPath = join(dir, 'new');
    writeFileSync(targetPath, 'old');
    const before = readdirSync(dir);
    const stop = { signal: AbortSignal.abort() };
    await expect(applyDeltaToFile({ ...request, targetBytes: 5, targetPath, sync })).rejects.toMatchObject({
      code: 'FORMAT',
    });
    await expect(applyDeltaToFile({ ...request, targetPath, sync }, stop)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await expect(applyDeltaToFile({ ...request, basePath: 'nowhere', targetPath, sync })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(readFileSync(targetPath, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(before);
  });

  test.each([true, false])('leaves nothing when the disk is full, and says so (sync: %s)', async (sync) => {
    const { dir, request } = await workshop();
    const before = readdirSync(dir);
    fillDisk();
    await expect(applyDeltaToFile({ ...request, targetPath: join(dir, 'new'), sync })).rejects.toMatchObject({
      code: 'NO_SPACE',
    });
    expect(readdirSync(dir)).toEqual(before);
  });

  test.each([true, false])('leaves nothing when the target cannot be put in place (sync: %s)', async (sync) => {
    const { dir, request } = await workshop();
    const before = readdirSync(dir);
    await expect(applyDeltaToFile({ ...request, targetPath: join(dir, 'no', 'folder'), sync })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(applyDeltaToFile({ ...request, targetPath: dir, sync })).rejects.toMatchObject({ code: 'IO' });
    expect(readdirSync(dir)).toEqual(before);
    expect(existsSync(dir)).toBe(true);
  });
});

test('a slow sink is waited for, and keeps its bytes until it is done', async () => {
  const { request } = await workshop();
  const pieces: Buffer[] = [];
  const sink = async (bytes: Uint8Array) => {
    await setTimeoutPromise(5);
    pieces.push(Buffer.from(bytes));
  };
  expect(await streamTarget(request, sink)).toBe(target.length);
  expect(Buffer.concat(pieces).equals(target)).toBe(true);
  const failing = streamTarget(request, async () => Promise.reject(new RangeError('full')));
  await expect(failing).rejects.toThrow(RangeError);
});

test('a delta that turns out to be damaged fails when no sink is at work any more', async () => {
  const { request, delta, deltaPath } = await workshop();
  // No command begins with such a byte; and the piece before it is on its way when it is come upon.
  writeFileSync(deltaPath, Buffer.from(delta).fill(0xff, 1000, 1020));
  let atWork = 0;
  const sink = async () => {
    atWork += 1;
    await setTimeoutPromise(20);
    atWork -= 1;
  };
  await expect(streamTarget(request, sink)).rejects.toMatchObject({ code: 'FORMAT' });
  expect(atWork).toBe(0);
});

test('a delta is applied while it is downloaded, in pieces of any size', async () => {
  const { basePath, delta } = await workshop();
  for (const pieceBytes of [7, 1000, 500_000]) {
    const pieces: Buffer[] = [];
    const source = new SourceFile(basePath);
    const patcher = new DeltaPatcher({ base: source, deltaName: 'https://example.org/a.rdiff' }, (bytes) => {
      pieces.push(Buffer.from(bytes));
    });
    for (let at = 0; at < delta.length; at += pieceBytes) patcher.push(delta.subarray(at, at + pieceBytes));
    expect(patcher.finish()).toBe(target.length);
    source.close();
    expect(Buffer.concat(pieces).equals(target)).toBe(true);
  }
});
