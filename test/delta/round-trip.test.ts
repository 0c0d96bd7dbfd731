import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { requireTools } from '../support/tools.js';
import { editedPair } from './support/edited-pairs.js';
import { applied, makeDelta } from './support/engine.js';
import { propertyRuns } from './support/properties.js';

const dir = temporaryDirectoryOfSuite();
const effort = fc.constantFrom('fast' as const, 'normal' as const, 'max' as const);

test('a delta applied to its base is the target', () => {
  fc.assert(
    fc.property(editedPair(1_000_000), effort, ({ base, target }, effort) => {
      const { basePath, deltaPath, statistics, delta } = makeDelta(dir, base, target, effort);
      expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
      expect(statistics.deltaBytes).toBe(delta.length);
      expect(statistics.copiedBytes + statistics.literalBytes).toBe(target.length);
    }),
    propertyRuns(100),
  );
});

test('rdiff patch makes the same target of it', (context) => {
  requireTools(context, 'rdiff');
  fc.assert(
    fc.property(editedPair(300_000), effort, ({ base, target }, effort) => {
      const { basePath, deltaPath } = makeDelta(dir, base, target, effort);
      const patched = `${deltaPath}.target`;
      execFileSync('rdiff', ['-f', 'patch', basePath, deltaPath, patched]);
      expect(readFileSync(patched).equals(target)).toBe(true);
    }),
    propertyRuns(25),
  );
});

test('deltas that rdiff made are applied', (context) => {
  requireTools(context, 'rdiff');
  const blockBytes = fc.constantFrom('1', '16', '128', '2048', '65536');
  const hash = fc.constantFrom('md4', 'blake2');
  fc.assert(
    fc.property(editedPair(100_000), blockBytes, hash, ({ base, target }, blockBytes, hash) => {
      const { basePath, targetPath, deltaPath } = makeDelta(dir, base, target);
      const [signature, theirs] = [`${deltaPath}.signature`, `${deltaPath}.theirs`];
      execFileSync('rdiff', ['-f', '-b', blockBytes, '-H', hash, 'signature', basePath, signature]);
      execFileSync('rdiff', ['-f', 'delta', signature, targetPath, theirs]);
      expect(applied(basePath, theirs, target.length).equals(target)).toBe(true);
    }),
    propertyRuns(25),
  );
});
