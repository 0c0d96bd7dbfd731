import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { DeltaBase, type RunDeltaPart } from '../../src/delta/delta-base.js';
import { type DeltaPart, queueOf } from '../../src/delta/delta-part.js';
import type { EngineTuning } from '../../src/delta/generate.js';
import { firstPartHere } from '../../src/images/parts.js';
import { compiledPool } from '../delta/support/compiled-pool.js';
import { makeDelta } from '../delta/support/engine.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';

const dir = temporaryDirectoryOfSuite();
const pool = await compiledPool(2);
afterAll(() => pool.destroy());

const segmentBytes = 2 ** 21;
const base = pseudoRandomBytes('base of parts', 6 * segmentBytes + 99);
const target = Buffer.concat([base.subarray(segmentBytes + 7), pseudoRandomBytes('new', 12 * segmentBytes)]);
const paths = { basePath: join(dir, 'base'), targetPath: join(dir, 'target'), deltaPath: join(dir, 'delta') };
writeFileSync(paths.basePath, base);
writeFileSync(paths.targetPath, target);

/** The event loop has its turn every 20 ms: a part has to take longer. */
const slow: Partial<EngineTuning> = { engine: 'js' };

const nobody: RunDeltaPart = () => Promise.reject(new Error('no other thread is there'));

function contextWith(signal: AbortSignal = new AbortController().signal) {
  return { progress: new SharedArrayBuffer(8), signal };
}

async function makeWith(run: RunDeltaPart, threads: number, tuning: Partial<EngineTuning> = {}): Promise<void> {
  rmSync(paths.deltaPath, { force: true });
  using index = await DeltaBase.index({ basePath: paths.basePath, effort: 'fast', threads }, run, tuning);
  await index.delta(paths, run);
}

test.each([
  ['alone', 1, nobody],
  ['beside one thread', 2, pool.run],
  ['beside two threads', 3, pool.run],
] as const)('the calling thread makes its part of a delta %s', async (_, threads, others) => {
  const context = contextWith();
  await makeWith(firstPartHere(others, context), threads);
  const { delta } = makeDelta(dir, base, target, 'fast');
  expect(readFileSync(paths.deltaPath).equals(delta)).toBe(true);
  const doneBytes = Number(new BigInt64Array(context.progress)[0]);
  if (threads === 1) expect(doneBytes).toBe(base.length + target.length);
});

test('timers fire while the calling thread makes its part', async () => {
  const context = contextWith();
  const doneBytes = new BigInt64Array(context.progress);
  const seen = new Set<number>();
  const timer = setInterval(() => seen.add(Number(doneBytes[0])), 1);
  await makeWith(firstPartHere(nobody, context), 1, slow);
  clearInterval(timer);
  const amidst = [...seen].filter((bytes) => bytes > base.length && bytes < base.length + target.length);
  expect(amidst.length).toBeGreaterThan(1);
});

test('an abort ends it after the segment at hand, and no file stays', async () => {
  const abort = new AbortController();
  const context = contextWith(abort.signal);
  const run = firstPartHere(nobody, context);
  using index = await DeltaBase.index({ basePath: paths.basePath, effort: 'fast', threads: 1 }, run, slow);
  rmSync(paths.deltaPath, { force: true });
  const made = index.delta(paths, run);
  setImmediate(() => setImmediate(() => abort.abort(new Error('stop'))));
  await expect(made).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(existsSync(paths.deltaPath)).toBe(false);
  const doneBytes = Number(new BigInt64Array(context.progress)[0]);
  expect(doneBytes).toBeLessThan(base.length + target.length);
});

test('another thread that ends without a word does not leave it waiting', async () => {
  await expect(makeWith(firstPartHere(stalling, contextWith()), 2)).rejects.toThrow('the thread is gone');
  expect(existsSync(paths.deltaPath)).toBe(false);
});

/** Claims the first segment of the target and never completes it: whoever works beside it soon waits for a slot. */
async function stalling(part: DeltaPart): Promise<void> {
  if (part.kind !== 'match') return await pool.run(part);
  queueOf(part.work, part.delta.target).claim();
  await sleep(300);
  throw new Error('the thread is gone');
}
