import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { makeDelta } from './support/engine.js';
import { denseCycle } from './support/repetitive-pairs.js';

const dir = temporaryDirectoryOfSuite();

const engines = ['js', 'wasm'] as const;

/**
 * Made once by the engine in TypeScript, when it agreed with the model of docs/delta-algorithm.md. Any other
 * implementation must make the same bytes; a change of the algorithm changes these and the document together.
 */
describe.each(engines)('by the engine %s', (engine) => {
  test.each([
    ['fast', 'f36be551b76095a6b0e0d5c3f67bf97279f3955e5875e30fc30d5550f8e9e7ea'],
    ['normal', '5b8a2e527294d4e52d9c37546995bef4842eb7e6f005558f615108787ec1f164'],
    ['max', '0ea9a7c1b338f9b1e7837a0dd761e3b99dd8c35172f43c8b65814e6ec3159f09'],
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
  Buffer.alloc(60_000, pseudoRandomBytes('golden 4', 33)),
  Buffer.alloc(60_000, denseCycle),
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
  // At last what repeats cycles, shifted: one has no anchors, the other nothing else.
  return Buffer.concat([
    base.subarray(0, 2_200_000),
    ...pieces,
    base.subarray(-50_001),
    base.subarray(-110_000, -70_000),
  ]);
}
