import { execFile } from 'node:child_process';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leastStrongBytes, recommendedBlockBytes } from '../../src/delta/signature-lengths.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { editedPair } from './support/edited-pairs.js';
import { propertyRuns } from './support/properties.js';
import { deltaFrom, fileWith, KINDS, patched, signatureOf } from './support/signatures.js';

const dir = temporaryDirectoryOfSuite();
const run = promisify(execFile);

type Lengths = { readonly blockBytes: number; readonly strongBytes: number };
type Kind = (typeof KINDS)[number];

async function rdiffSignature(bytes: Uint8Array, { weak, strong }: Kind, lengths: Lengths): Promise<Buffer> {
  const path = join(dir, 'rdiff-signature');
  const kind = ['-R', weak, '-H', strong, '-b', `${lengths.blockBytes}`, '-S', `${lengths.strongBytes}`];
  await run('rdiff', ['-f', ...kind, 'signature', fileWith(dir, bytes), path]);
  return readFileSync(path);
}

async function rdiffDelta(signature: Uint8Array, target: Uint8Array): Promise<Buffer> {
  const path = join(dir, 'rdiff-delta');
  await run('rdiff', ['-f', 'delta', fileWith(dir, signature), fileWith(dir, target), path]);
  return readFileSync(path);
}

async function rdiffPatch(base: Uint8Array, delta: Uint8Array): Promise<Buffer> {
  const path = join(dir, 'rdiff-target');
  await run('rdiff', ['-f', 'patch', fileWith(dir, base), fileWith(dir, delta), path]);
  return readFileSync(path);
}

describe.skipIf(!haveTools('rdiff'))('beside rdiff', () => {
  const texts = [0, 1, 255, 256, 257, 4096, 100_001, 3_000_000].map((size) => pseudoRandomBytes(`${size}`, size));

  test.each(KINDS)('signatures with $weak and $strong are its bytes', async (kind) => {
    for (const text of texts) {
      for (const blockBytes of [0, 1, 100, 2048, 4_000_000]) {
        // A block a byte makes a signature 36 times as large.
        if (blockBytes === 1 && text.length > 200_000) continue;
        for (const strongBytes of [0, -1, 7]) {
          const lengths = { blockBytes, strongBytes };
          const expected = await rdiffSignature(text, kind, lengths);
          const found = await signatureOf(dir, text, { ...kind, ...lengths });
          expect(found.equals(expected), `${text.length} bytes, ${JSON.stringify(lengths)}`).toBe(true);
        }
      }
    }
  });

  test('the recommended lengths are its own for files of all sizes', async () => {
    const path = fileWith(dir, Buffer.of());
    for (const size of [147_455, 147_456, 16_777_216, 1e8]) {
      truncateSync(path, size);
      const signature = join(dir, 'rdiff-signature');
      await run('rdiff', ['-f', '-S', '-1', '-H', 'md4', 'signature', path, signature]);
      const header = readFileSync(signature).subarray(0, 12);
      const blockBytes = recommendedBlockBytes(size);
      expect([header.readUInt32BE(4), header.readUInt32BE(8)]).toEqual([
        blockBytes,
        leastStrongBytes(size, blockBytes),
      ]);
    }
  });

  test('signatures and deltas of either work with those of the other, and ours are no larger', async () => {
    const options = fc.record({
      kind: fc.constantFrom(...KINDS),
      blockBytes: fc.constantFrom(0, 16, 64, 128, 1000, 2048),
      strongBytes: fc.constantFrom(0, -1),
    });
    const property = fc.asyncProperty(editedPair(200_000), options, async ({ base, target }, { kind, ...lengths }) => {
      const signature = await rdiffSignature(base, kind, lengths);
      expect((await signatureOf(dir, base, { ...kind, ...lengths })).equals(signature)).toBe(true);
      const { delta: ours, statistics } = await deltaFrom(dir, signature, target);
      const theirs = await rdiffDelta(signature, target);
      expect((await rdiffPatch(base, ours)).equals(target)).toBe(true);
      expect((await patched(dir, base, ours)).equals(target)).toBe(true);
      expect((await patched(dir, base, theirs)).equals(target)).toBe(true);
      // Of blocks that are alike rdiff takes the first, and ours the one that goes on from the last match: its offset may need
      // three bytes more.
      expect(ours.length).toBeLessThanOrEqual(theirs.length + 3 * statistics.copyCommands);
    });
    await fc.assert(property, propertyRuns(60));
  });

  test('a delta between two large texts is applied by it', async () => {
    const base = pseudoRandomBytes('large', 12_345_678);
    const target = Buffer.concat([
      base.subarray(5_000_001, 9_000_000),
      pseudoRandomBytes('new', 777_777),
      base.subarray(0, 6_000_000),
      Buffer.alloc(1_500_000),
      base.subarray(-1000),
    ]);
    for (const kind of KINDS) {
      const signature = await signatureOf(dir, base, { ...kind, blockBytes: 512 });
      const { delta } = await deltaFrom(dir, signature, target);
      expect((await rdiffPatch(base, delta)).equals(target)).toBe(true);
      expect(delta.length).toBeLessThanOrEqual((await rdiffDelta(signature, target)).length);
    }
  });
});
