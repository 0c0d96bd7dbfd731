import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { DeltaBase } from '../../src/delta/delta-base.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { compiledPool } from './support/compiled-pool.js';
import { editedPair } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';

/** One pair in so many is also made by several threads, and given to rdiff: both take far longer than all the rest. */
const SAMPLED = 50;

const dir = temporaryDirectoryOfSuite();
const effort = fc.constantFrom('fast' as const, 'normal' as const, 'max' as const);
const pool = await compiledPool(3);
afterAll(() => pool.destroy());

/**
 * `npm run soak -- --runs 1000000 test/delta/pairs.test.ts` is the long form. A failure prints the seed and the smallest
 * pair that it could find.
 */
test('of any pair both engines and any number of threads make the same delta, and it makes the target', async () => {
  const withRdiff = haveTools('rdiff');
  let pairs = 0;
  await fc.assert(
    fc.asyncProperty(editedPair(1_000_000), effort, async ({ base, target }, effort) => {
      pairs += 1;
      const js = makeDelta(dir, base, target, effort, { engine: 'js' });
      const wasm = makeDelta(dir, base, target, effort, { engine: 'wasm' });
      expect(wasm.delta.equals(js.delta)).toBe(true);
      expect(applied(wasm.basePath, wasm.deltaPath, target.length).equals(target)).toBe(true);
      if (pairs % SAMPLED !== 1) return;
      for (const threads of [2, 3]) expect((await deltaByThreads(wasm, effort, threads)).equals(js.delta)).toBe(true);
      if (!withRdiff) return;
      const patched = `${wasm.deltaPath}.target`;
      execFileSync('rdiff', ['-f', 'patch', wasm.basePath, wasm.deltaPath, patched]);
      expect(readFileSync(patched).equals(target)).toBe(true);
    }),
    propertyRuns(200),
  );
});

async function deltaByThreads(
  { basePath, targetPath, deltaPath }: { basePath: string; targetPath: string; deltaPath: string },
  effort: 'fast' | 'normal' | 'max',
  threads: number,
): Promise<Buffer> {
  using base = await DeltaBase.index({ basePath, effort, threads }, pool.run);
  const path = `${deltaPath}.by-${threads}`;
  await base.delta({ targetPath, deltaPath: path }, pool.run);
  const delta = readFileSync(path);
  rmSync(path);
  return delta;
}
