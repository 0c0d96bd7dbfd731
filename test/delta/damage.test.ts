import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyDelta, applyDeltaToFile } from '../../src/delta/apply.js';
import { UpdateRepositoryError } from '../../src/errors.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { caught } from './support/caught.js';
import { makeDelta } from './support/engine.js';

const base = pseudoRandomBytes('damage', 70_000);
const target = Buffer.concat([
  base.subarray(66_000),
  Buffer.from('a short literal'),
  base.subarray(100, 4000),
  pseudoRandomBytes('damage fresh', 100),
  base.subarray(5, 60),
]);

/** A delta of some 200 bytes with commands of several widths. */
async function smallDelta() {
  const dir = await temporaryDirectory();
  const made = makeDelta(dir, base, target, 'max');
  expect(made.delta.length).toBeLessThan(300);
  return { ...made, damagedPath: join(dir, 'damaged') };
}

test('every truncation of a delta fails as truncated', async () => {
  const { delta, basePath, damagedPath } = await smallDelta();
  for (let length = 0; length < delta.length; length += 1) {
    writeFileSync(damagedPath, delta.subarray(0, length));
    const request = { basePath, deltaPath: damagedPath, targetBytes: target.length };
    const error = caught(() => applyDelta(request, () => undefined));
    expect(error.code).toBe('FORMAT');
    expect(error.message).toContain('expected its end command, found the end of the data');
  }
});

test('a delta with any one bit flipped yields a target of the right size or fails as malformed', async () => {
  const { delta, basePath, damagedPath } = await smallDelta();
  let failures = 0;
  for (let bit = 0; bit < 8 * delta.length; bit += 1) {
    const damaged = Buffer.from(delta);
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(damagedPath, damaged);
    failures += Number(!appliesOrIsMalformed(basePath, damagedPath));
  }
  // Magic, opcodes, lengths and the end: much of the delta. In literals and offsets a flip goes unseen.
  expect(failures).toBeGreaterThan(100);
  expect(failures).toBeLessThan(8 * delta.length);
});

test('a delta of random commands never yields more than it may, and fails as malformed', async () => {
  const { basePath, damagedPath } = await smallDelta();
  for (let seed = 0; seed < 300; seed += 1) {
    const noise = pseudoRandomBytes(`noise ${seed}`, 200).map((byte) => byte % 0x56);
    writeFileSync(damagedPath, Buffer.concat([Buffer.from('72730236', 'hex'), noise]));
    appliesOrIsMalformed(basePath, damagedPath);
  }
});

test('a few bytes that ask for more than the target write nothing', async () => {
  const { basePath, damagedPath } = await smallDelta();
  // A hundred copies of the whole base, each of 70,000 bytes.
  const copy = Buffer.from('470000011170', 'hex');
  writeFileSync(
    damagedPath,
    Buffer.concat([Buffer.from('72730236', 'hex'), ...Array<Buffer>(100).fill(copy), Buffer.of(0)]),
  );
  const targetPath = `${damagedPath}.target`;
  expect(await applyDeltaToFile({ basePath, deltaPath: damagedPath, targetPath, targetBytes: 7_000_000 })).toBe(
    7_000_000,
  );
  const request = { basePath, deltaPath: damagedPath, targetBytes: 69_999 };
  expect(caught(() => applyDelta(request, () => expect.unreachable('a byte too many'))).code).toBe('FORMAT');
});

/** Whether the damaged delta yields a target; failing with anything but FORMAT fails the test. */
function appliesOrIsMalformed(basePath: string, deltaPath: string): boolean {
  let bytes = 0;
  try {
    applyDelta({ basePath, deltaPath, targetBytes: target.length }, (piece) => {
      bytes += piece.length;
    });
    expect(bytes).toBe(target.length);
    return true;
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    expect(error.code).toBe('FORMAT');
    expect(error.message).toContain(deltaPath);
    expect(bytes).toBeLessThanOrEqual(target.length);
    return false;
  }
}
