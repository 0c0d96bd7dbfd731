import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

const dir = temporaryDirectoryOfSuite();

const engines = ['js', 'wasm'] as const;

/**
 * Made once by the engine in TypeScript, when it agreed with the model of docs/delta-algorithm.md. Any other
 * implementation must make the same bytes; a change of the algorithm changes these and the document together.
 */
describe.each(engines)('by the engine %s', (engine) => {
  test.each([
    ['fast', 'd4cdb02e6bc2345c080f0ca6b01027c1e6b93c8431d5145d01e398bb6e9fd938'],
    ['normal', '4935079918fbd98a98769c33cdb4d7ee9b56c36e75cf386513f98135172df67d'],
    ['max', '2c18f342d77e5e9c91abc7d7f9f71abcf8e9e62834bae79b947f04137178968d'],
  ] as const)('the bytes of a delta made with effort %s stay as they are', (effort, sha256) => {
    const { delta } = makeDelta(dir, base, target, effort, { engine });
    expect(createHash('sha256').update(delta).digest('hex')).toBe(sha256);
  });
});

const base = Buffer.concat([
  pseudoRandomBytes('golden 1', 2_500_000),
  Buffer.alloc(100_000),
  Buffer.alloc(500_000, pseudoRandomBytes('golden 2', 24)),
  pseudoRandomBytes('golden 3', 900_000),
]);
const target = edited();

/** Thousands of pieces of the base, moved, changed here and there and parted by fresh bytes and runs. */
function edited(): Buffer {
  const next = pseudoRandomNumbers('golden edits');
  const pieces = Array.from({ length: 4000 }, (_, n) => {
    const at = Math.floor(next() * base.length);
    const piece = Buffer.from(base.subarray(at, at + Math.floor(2 ** (4 + 9 * next()))));
    for (let place = 20; place < piece.length; place += Math.floor(next() * 400) + 1) piece[place] = n % 256;
    const parting = n % 7 === 0 ? Buffer.alloc(Math.floor(next() * 300)) : pseudoRandomBytes(`golden ${n}`, n % 50);
    return Buffer.concat([piece, parting]);
  });
  return Buffer.concat([base.subarray(0, 2_200_000), ...pieces]);
}
