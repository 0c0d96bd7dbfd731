import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { textObject } from '../../src/publish/release.js';
import { stagedInBatches } from '../../src/publish/rsync/staged-batches.js';
import type { PutRequest } from '../../src/publish/storage.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const signal = new AbortController().signal;

afterEach(() => vi.unstubAllEnvs());

function requests(count: number): PutRequest[] {
  return Array.from({ length: count }, (_, n) => ({ ...textObject(`d/${n}`, `${n}`, 'a/b'), cacheControl: '' }));
}

test('many objects are staged a batch at a time, and each batch is gone when the next one comes', async () => {
  const dir = await temporaryDirectory();
  vi.stubEnv('TMPDIR', dir);
  const roots: string[] = [];
  for await (const { root, objects } of stagedInBatches(requests(5002), () => 1, signal)) {
    expect(roots.every((earlier) => !existsSync(earlier))).toBe(true);
    const { path } = objects.at(-1)!.request;
    expect(`d/${readFileSync(join(root, path), 'utf8')}`).toBe(path);
    roots.push(root);
    expect(objects).toHaveLength(roots.length === 1 ? 5000 : 2);
  }
  expect(roots).toHaveLength(2);
  expect(readdirSync(dir)).toEqual([]);
});

test('nothing is left behind when the work ends early, or a later batch is not what it is said to be', async () => {
  const dir = await temporaryDirectory();
  vi.stubEnv('TMPDIR', dir);
  for await (const _ of stagedInBatches(requests(5002), () => 1, signal)) break;
  expect(readdirSync(dir)).toEqual([]);
  const all = requests(5002).map((request, n) => (n < 5001 ? request : { ...request, sizeBytes: 99 }));
  let batches = 0;
  const work = async () => {
    for await (const _ of stagedInBatches(all, () => 1, signal)) batches += 1;
  };
  await expect(work()).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
  expect(batches).toBe(1);
  expect(readdirSync(dir)).toEqual([]);
});
