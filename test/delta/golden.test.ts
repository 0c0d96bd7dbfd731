import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';

const dir = temporaryDirectoryOfSuite();

/**
 * Made once by this engine, when it agreed with the model of docs/delta-algorithm.md. Another implementation must make
 * the same bytes; a change of the algorithm changes these and the document together.
 */
test.each([
  ['fast', '878ba5a2f86abf12b02fde7d799222825d4a93a7b9de740c8fc0ebf673edaf6c'],
  ['normal', '610845fbc304ee8ea8088e0502109ff302b8702ff0a1d71f18b9e31f94af74c9'],
  ['max', 'c103b6f9cea91e57be35eb99e5492a4e4b8edbb2a8302f698d4b04231ea775c5'],
] as const)('the bytes of a delta made with effort %s stay as they are', (effort, sha256) => {
  const { delta } = makeDelta(dir, base, target, effort);
  expect(createHash('sha256').update(delta).digest('hex')).toBe(sha256);
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
