import fs, { existsSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { applyDelta, applyDeltaToFile } from '../../src/delta/apply.js';
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
  test('yields the target in order, in pieces of at most 1 MiB', async () => {
    const { request } = await workshop();
    const pieces: Buffer[] = [];
    applyDelta(request, (bytes) => void pieces.push(Buffer.from(bytes)));
    expect(Buffer.concat(pieces).equals(target)).toBe(true);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(2 ** 20);
  });

  test('reports the bytes of the target that are done', async () => {
    const { request } = await workshop();
    const seen: number[] = [];
    applyDelta(request, () => undefined, { onProgress: (bytesDone) => void seen.push(bytesDone) });
    expect(seen).toEqual([2 ** 20, 2 ** 21, 3 * 2 ** 20, target.length]);
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
  test('yields the target and its size, and replaces what was there', async () => {
    const { dir, request } = await workshop();
    const targetPath = join(dir, 'new');
    writeFileSync(targetPath, 'old');
    expect(applyDeltaToFile({ ...request, targetPath })).toBe(target.length);
    expect(readFileSync(targetPath).equals(target)).toBe(true);
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('is on the disk before it gets its name, and its name is before it is called done', async () => {
    const { dir, request } = await workshop();
    const calls: string[] = [];
    const sync = vi.spyOn(fs, 'fsyncSync').mockImplementation(() => void calls.push('fsync'));
    const { renameSync } = fs;
    const rename = vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      calls.push('rename');
      renameSync(from, to);
    });
    onTestFinished(() => {
      sync.mockRestore();
      rename.mockRestore();
    });
    applyDeltaToFile({ ...request, targetPath: join(dir, 'new') });
    expect(calls).toEqual(['fsync', 'rename', 'fsync']);
  });

  test('needs no size', async () => {
    const { dir, basePath, deltaPath } = await workshop();
    expect(applyDeltaToFile({ basePath, deltaPath, targetPath: join(dir, 'new') })).toBe(target.length);
  });

  test('leaves the old file and nothing else when it fails', async () => {
    const { dir, request } = await workshop();
    const targetPath = join(dir, 'new');
    writeFileSync(targetPath, 'old');
    const before = readdirSync(dir);
    const stop = { signal: AbortSignal.abort() };
    expect(caught(() => applyDeltaToFile({ ...request, targetBytes: 5, targetPath })).code).toBe('FORMAT');
    expect(caught(() => applyDeltaToFile({ ...request, targetPath }, stop)).code).toBe('INTERRUPTED');
    expect(caught(() => applyDeltaToFile({ ...request, basePath: 'nowhere', targetPath })).code).toBe('NOT_FOUND');
    expect(readFileSync(targetPath, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(before);
  });

  test('leaves nothing when the disk is full, and says so', async () => {
    const { dir, request } = await workshop();
    const before = readdirSync(dir);
    fillDisk();
    expect(caught(() => applyDeltaToFile({ ...request, targetPath: join(dir, 'new') })).code).toBe('NO_SPACE');
    expect(readdirSync(dir)).toEqual(before);
  });

  test('leaves nothing when the target cannot be put in place', async () => {
    const { dir, request } = await workshop();
    const before = readdirSync(dir);
    expect(caught(() => applyDeltaToFile({ ...request, targetPath: join(dir, 'no', 'folder') })).code).toBe(
      'NOT_FOUND',
    );
    expect(caught(() => applyDeltaToFile({ ...request, targetPath: dir })).code).toBe('IO');
    expect(readdirSync(dir)).toEqual(before);
    expect(existsSync(dir)).toBe(true);
  });
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
