import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyDelta } from '../../src/delta/apply.js';
import { generateDelta } from '../../src/delta/generate.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { applied } from './support/engine.js';

const fourGiB = 2 ** 32;
const pieceBytes = 2000;

/** A file that is zero but for pieces of random bytes in the middle of which the given offsets lie. */
function writeSparse(path: string, sizeBytes: number, offsets: readonly number[]): Buffer[] {
  const fd = openSync(path, 'wx');
  ftruncateSync(fd, sizeBytes);
  const pieces = offsets.map((offset) => {
    const piece = pseudoRandomBytes(`piece ${offset}`, pieceBytes);
    writeSync(fd, piece, 0, pieceBytes, Math.max(0, offset - pieceBytes / 2));
    return piece;
  });
  closeSync(fd);
  return pieces;
}

test('content around the offsets 2^8, 2^16, 2^32 and behind them is found, and rdiff patch finds it, too', {
  timeout: 300_000,
}, async () => {
  const dir = await temporaryDirectory();
  const [basePath, targetPath, deltaPath] = [join(dir, 'base'), join(dir, 'target'), join(dir, 'delta')];
  const offsets = [2 ** 8, 2 ** 16, 2 ** 24, 2 ** 31, fourGiB, fourGiB + 2 ** 21];
  const pieces = writeSparse(basePath, fourGiB + 2 ** 22, offsets);
  // Stretches of equal bytes after copies whose offsets take four bytes and eight: the latter must be longer.
  const [near = Buffer.alloc(0), far = Buffer.alloc(0)] = pieces.slice(3, 5);
  const stretches = [stretched(near, 10), stretched(far, 13), stretched(far, 14)];
  const target = Buffer.concat([...pieces.toReversed(), ...stretches]);
  writeFileSync(targetPath, target);

  const statistics = generateDelta({ basePath, targetPath, deltaPath, effort: 'max' });
  expect(statistics).toMatchObject({ copyCommands: 6 + 4 + 1 + 4, literalBytes: 3 + 3 * 14 + 3 });
  expect(
    readFileSync(deltaPath)
      .subarray(4, 4 + 11)
      .toString('hex'),
  ).toBe('5200000001001ffc1807d0');
  expect(applied(basePath, deltaPath, target.length).equals(target)).toBe(true);
  if (!haveTools('rdiff')) return;
  execFileSync('rdiff', ['patch', basePath, deltaPath, join(dir, 'patched')]);
  expect(readFileSync(join(dir, 'patched')).equals(target)).toBe(true);
});

test('a target of more than 4 GiB is made and comes out again', { timeout: 300_000 }, async () => {
  const dir = await temporaryDirectory();
  const [basePath, targetPath, deltaPath] = [join(dir, 'base'), join(dir, 'target'), join(dir, 'delta')];
  const targetBytes = fourGiB + 2 ** 21 + 5;
  writeSparse(basePath, 2 ** 22, [2 ** 20]);
  writeSparse(targetPath, targetBytes, [2 ** 20, 2 ** 30, fourGiB]);

  const { deltaBytes, copiedBytes, literalBytes } = generateDelta({ basePath, targetPath, deltaPath, effort: 'fast' });
  expect(copiedBytes + literalBytes).toBe(targetBytes);
  // Two pieces are not in the base; the zeros cost a copy every MiB.
  expect(deltaBytes).toBeLessThan(2 * pieceBytes + 12 * 4150);
  expect(differsAt(targetPath, basePath, deltaPath, targetBytes)).toBe(-1);
});

/** The first half of a piece, then three stretches of its bytes, each after one that is not its. */
function stretched(piece: Buffer, bytes: number): Buffer {
  const text = Buffer.from(piece.subarray(0, pieceBytes / 2 + 3 * (bytes + 1)));
  for (let at = pieceBytes / 2; at < text.length; at += bytes + 1) text[at] = (text[at] ?? 0) ^ 1;
  return text;
}

/** The first place, by pieces, where an applied delta differs from the file that it should make; -1 when it does not. */
function differsAt(targetPath: string, basePath: string, deltaPath: string, targetBytes: number): number {
  const fd = openSync(targetPath, 'r');
  const expected = Buffer.alloc(2 ** 20);
  let done = 0;
  let difference = -1;
  applyDelta({ basePath, deltaPath, targetBytes }, (bytes) => {
    readSync(fd, expected, 0, bytes.length, done);
    if (difference < 0 && expected.compare(bytes, 0, bytes.length, 0, bytes.length) !== 0) difference = done;
    done += bytes.length;
  });
  closeSync(fd);
  return difference;
}
