import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { applied, makeDelta } from './support/engine.js';
import { barrenCycle } from './support/repetitive-pairs.js';

const dir = temporaryDirectoryOfSuite();
const withRdiff = haveTools('rdiff');

function rdiffBytes(basePath: string, targetPath: string): number {
  const [signature, delta] = [join(dir, 'signature'), join(dir, 'rdiff')];
  for (const path of [signature, delta]) rmSync(path, { force: true });
  execFileSync('rdiff', ['-b', '128', 'signature', basePath, signature]);
  execFileSync('rdiff', ['delta', signature, targetPath, delta]);
  return statSync(delta).size;
}

describe.each(['fast', 'normal', 'max'] as const)('with the effort %s', (effort) => {
  test.each([2, 4, 8, 24, 33, 64])(
    'a fill of period %d without anchors is copied wherever it has moved to, in no more bytes than rdiff needs',
    (period) => {
      const fill = Buffer.alloc(100_000, barrenCycle(period));
      const text = pseudoRandomBytes('around fills', 50_000);
      const base = Buffer.concat([text.subarray(0, 20_000), fill, text.subarray(20_000)]);
      const target = Buffer.concat([text.subarray(0, 30_001), fill.subarray(5), text.subarray(30_001)]);
      const { delta, basePath, targetPath, deltaPath } = makeDelta(dir, base, target, effort);
      expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
      // A block's length may stay literal, before the first one that is forced.
      expect(delta.length).toBeLessThan(600);
      if (withRdiff) expect(delta.length).toBeLessThanOrEqual(rdiffBytes(basePath, targetPath));
    },
  );

  test('a fill of which the base has less than the target is copied piece by piece', () => {
    const fill = Buffer.alloc(400_000, barrenCycle(24));
    const base = Buffer.concat([pseudoRandomBytes('before a short fill', 10_000), fill.subarray(0, 40_000)]);
    const { delta, basePath, targetPath, deltaPath } = makeDelta(dir, base, fill, effort);
    expect(applied(basePath, deltaPath, fill.length).equals(fill)).toBe(true);
    expect(delta.length).toBeLessThan(fill.length / 40);
    if (withRdiff) expect(delta.length).toBeLessThanOrEqual(rdiffBytes(basePath, targetPath));
  });
});
