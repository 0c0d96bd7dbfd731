import fs, { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { writeSignature } from '../../src/delta/signature.js';
import { writeDeltaFromSignature } from '../../src/delta/signature-delta.js';
import { formatSignatureHeader, parseSignatureHeader } from '../../src/delta/signature-format.js';
import { leastStrongBytes, recommendedBlockBytes } from '../../src/delta/signature-lengths.js';
import { UpdateRepositoryError } from '../../src/errors.js';
import { ByteInput } from '../../src/io/byte-input.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { editedPair } from './support/edited-pairs.js';
import { propertyRuns } from './support/properties.js';
import { deltaFrom, fileWith, KINDS, patched, signatureOf } from './support/signatures.js';

const dir = temporaryDirectoryOfSuite();

const options = fc.record({
  kind: fc.constantFrom(...KINDS),
  blockBytes: fc.oneof(fc.constantFrom(0, 1, 2, 16, 64, 128, 2048), fc.integer({ min: 1, max: 70_000 })),
  strongBytes: fc.constantFrom(0, -1, 16, 9),
});

describe('signatures and deltas from them', () => {
  test('lead to the target, and are the same bytes by both engines', async () => {
    const property = fc.asyncProperty(editedPair(60_000), options, async ({ base, target }, { kind, ...lengths }) => {
      const signature = await signatureOf(dir, base, { ...kind, ...lengths });
      expect((await signatureOf(dir, base, { ...kind, ...lengths }, 'js')).equals(signature)).toBe(true);
      const { delta, statistics } = await deltaFrom(dir, signature, target);
      const other = await deltaFrom(dir, signature, target, 'js');
      expect(other.delta.equals(delta)).toBe(true);
      expect({ ...other.statistics, engine: 'wasm' }).toEqual(statistics);
      expect((await patched(dir, base, delta)).equals(target)).toBe(true);
    });
    await fc.assert(property, propertyRuns(120));
  });

  test('are small where much is equal, also in a short last block', async () => {
    const base = pseudoRandomBytes('small', 1_000_100);
    for (const kind of KINDS) {
      const signature = await signatureOf(dir, base, { ...kind, blockBytes: 1000 });
      expect((await deltaFrom(dir, signature, base)).delta.length).toBeLessThan(20);
      const moved = Buffer.concat([Buffer.from('!'), base.subarray(500_000), base.subarray(0, 500_000)]);
      const { statistics } = await deltaFrom(dir, signature, moved);
      expect(statistics).toMatchObject({ copiedBytes: 1_000_000, literalBytes: 101, blocks: 1001 });
      const end = Buffer.concat([pseudoRandomBytes('other', 2345), base.subarray(-100)]);
      expect((await deltaFrom(dir, signature, end)).statistics.copiedBytes).toBe(100);
    }
  });

  test('prefer the block that continues a copy, else take the first of equal ones', async () => {
    const page = pseudoRandomBytes('page', 256);
    const base = Buffer.concat([...Array<Buffer>(50).fill(page), pseudoRandomBytes('end', 256)]);
    const signature = await signatureOf(dir, base, { blockBytes: 256 });
    const { delta, statistics } = await deltaFrom(dir, signature, base);
    expect({ copies: statistics.copyCommands, bytes: delta.length }).toEqual({ copies: 1, bytes: 9 });
  });

  test('survive more matches and more text than fit at once', async () => {
    const base = pseudoRandomBytes('many', 64 * 10_000);
    const blocks = Array.from({ length: 9_000 }, (_, n) => base.subarray(64 * ((n * 7919) % 10_000)).subarray(0, 64));
    const target = Buffer.concat([...blocks, pseudoRandomBytes('fresh', 3_000_000), base]);
    const signature = await signatureOf(dir, base, { blockBytes: 64, strongBytes: 8 });
    const { delta, statistics } = await deltaFrom(dir, signature, target);
    expect(statistics.literalBytes).toBe(3_000_000);
    expect((await patched(dir, base, delta)).equals(target)).toBe(true);
  });
});

test('a signature with blocks of two gigabytes costs no memory when the file is small', async () => {
  for (const engine of ['wasm', 'js'] as const) {
    const signature = await signatureOf(dir, Buffer.from('small'), { blockBytes: 2 ** 31 - 1 }, engine);
    expect(signature.subarray(0, 16).toString('hex')).toMatch(/^727301477fffffff00000020/);
    expect(signature.length).toBe(48);
  }
});

test('a file that grows while it is read is refused', async () => {
  const path = fileWith(dir, Buffer.alloc(1000));
  using input = new ByteInput(path);
  appendFileSync(path, 'more');
  const kind = { weak: 'rollsum', strong: 'md4', blockBytes: 300, strongBytes: 16 } as const;
  await expect(writeSignature(input, kind, () => undefined)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ' });
  using signature = new ByteInput(fileWith(dir, formatSignatureHeader({ ...kind, blockBytes: 100_000 })));
  using target = new ByteInput(path);
  appendFileSync(path, 'still more');
  const delta = writeDeltaFromSignature({ signature, target }, () => undefined);
  await expect(delta).rejects.toMatchObject({ code: 'CHANGED_WHILE_READ', data: { path } });
});

describe('the recommended lengths', () => {
  test.each([
    [0, 256],
    [66_048, 256],
    [147_455, 256],
    [147_456, 384],
    [1_000_000, 896],
    [20 * 2 ** 30, 146_432],
    [undefined, 2048],
  ])('of blocks for %s bytes are rdiff’s', (sizeBytes, blockBytes) => {
    expect(recommendedBlockBytes(sizeBytes)).toBe(blockBytes);
  });

  test.each([
    [255, 256, 5],
    [256, 256, 6],
    [65_407, 128, 6],
    [65_408, 128, 7],
    [10 ** 9, 128, 9],
    [300 * 2 ** 30, 1, 12],
    [undefined, 64, 12],
  ])('of strong sums for %s bytes in blocks of %i are rdiff’s', (sizeBytes, blockBytes, strongBytes) => {
    expect(leastStrongBytes(sizeBytes, blockBytes)).toBe(strongBytes);
  });
});

describe('a signature that is damaged', () => {
  const base = pseudoRandomBytes('damaged', 1500);
  const target = Buffer.concat([base.subarray(300), base.subarray(0, 500)]);

  /** Whether a delta was made; failing with anything but FORMAT and the signature's name fails the test. */
  async function makesDelta(signature: Uint8Array): Promise<boolean> {
    try {
      await deltaFrom(dir, signature, target);
      return true;
    } catch (error) {
      if (!(error instanceof UpdateRepositoryError)) throw error;
      expect(error.code).toBe('FORMAT');
      expect(error.message).toMatch(/file-\d+: .*: expected .*, found .*[^\n]$/);
      return false;
    }
  }

  test('by being cut off is refused, but between two entries', async () => {
    const signature = await signatureOf(dir, base, { blockBytes: 100, strongBytes: 8 });
    for (let length = 0; length < signature.length; length += 1) {
      const isWhole = length >= 12 && (length - 12) % 12 === 0;
      expect(await makesDelta(signature.subarray(0, length))).toBe(isWhole);
    }
  });

  test('in any one byte is refused, or makes a delta', async () => {
    const signature = await signatureOf(dir, base, { blockBytes: 100, strongBytes: 8 });
    let refused = 0;
    for (let at = 0; at < signature.length; at += 1) {
      for (const flip of [0xff, 0x01, 0x80]) {
        const damaged = Buffer.from(signature);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        refused += Number(!(await makesDelta(damaged)));
      }
    }
    // Most bytes are sums, and with wrong sums less is found.
    expect(refused).toBeGreaterThan(15);
    expect(refused).toBeLessThan(40);
  });

  test.each([
    ['7273014700000000' + '00000020', 'a block length from 1 to 2147483647, found 0'],
    ['72730147ffffffff' + '00000020', 'a block length from 1 to 2147483647, found 4294967295'],
    ['7273014700000100' + '00000021', 'a strong length of at most 32, found 33'],
    ['7273014600000100' + '00000011', 'a strong length of at most 16, found 17'],
    ['7273023600000100' + '00000020', 'the magic of a signature, 72730136, 37, 46 or 47, found 72730236'],
    ['72730147', 'a header of 12 bytes, found 4 bytes'],
  ])('in its header, %s, says what was expected', async (header, message) => {
    expect(() => parseSignatureHeader(Buffer.from(header, 'hex'), 'some.sig')).toThrow(message);
  });
});

describe('a hostile signature', () => {
  const header = (blockBytes: number, strongBytes: number) => {
    const bytes = Buffer.from('727301470000000000000000', 'hex');
    bytes.writeUInt32BE(blockBytes, 4);
    bytes.writeUInt32BE(strongBytes, 8);
    return bytes;
  };

  const entriesOf = async (bytes: Uint8Array, blockBytes: number) =>
    (await signatureOf(dir, bytes, { blockBytes })).subarray(12);

  test('with blocks of two gigabytes costs no memory when the target is small', async () => {
    const signature = Buffer.concat([header(2 ** 31 - 1, 32), pseudoRandomBytes('entries', 360)]);
    const target = pseudoRandomBytes('target', 5000);
    const { statistics } = await deltaFrom(dir, signature, target);
    expect(statistics.literalBytes).toBe(5000);
  });

  test.each(['wasm', 'js'] as const)(
    'whose weak sum is at every place and whose strong sum is at none: %s',
    async (engine) => {
      const blockBytes = 20_000;
      const good = pseudoRandomBytes('good', blockBytes);
      const size = 3_000_000;
      const entries = await entriesOf(Buffer.concat([good, Buffer.alloc(blockBytes)]), blockBytes);
      // The second entry would continue a copy of the first, were its last byte right.
      entries[71]! ^= 1;
      const signature = Buffer.concat([header(blockBytes, 32), entries]);
      const target = Buffer.concat([good, Buffer.alloc(engine === 'wasm' ? size : size / 30)]);
      const started = performance.now();
      const { statistics } = await deltaFrom(dir, signature, target, engine);
      expect(statistics.copiedBytes).toBe(blockBytes);
      // All places would be 60 GB to sum, which takes a minute and more.
      expect(performance.now() - started).toBeLessThan(20_000);
    },
  );

  test('exhausts the patience of both engines alike: then only what continues a copy is found', async () => {
    const blockBytes = 3000;
    const good = pseudoRandomBytes('good', 2 * blockBytes);
    const entries = await entriesOf(Buffer.concat([Buffer.alloc(blockBytes), good]), blockBytes);
    entries[35]! ^= 1;
    const signature = Buffer.concat([header(blockBytes, 32), entries]);
    const [first, second] = [good.subarray(0, blockBytes), good.subarray(blockBytes)];
    const target = Buffer.concat([first, Buffer.alloc(blockBytes + 400), second, first]);
    const { delta, statistics } = await deltaFrom(dir, signature, target);
    expect(statistics.copiedBytes).toBe(2 * blockBytes);
    expect((await deltaFrom(dir, signature, target, 'js')).delta.equals(delta)).toBe(true);
  });

  test('with many equal weak sums leads to the first of equal entries', async () => {
    const blockBytes = 64;
    const blocks = Array.from({ length: 40 }, (_, n) => pseudoRandomBytes(`equal ${n}`, blockBytes));
    const entries = await entriesOf(Buffer.concat([...blocks, ...blocks.toReversed()]), blockBytes);
    const weak = entries.subarray(0, 4);
    for (let at = 36; at < entries.length; at += 36) weak.copy(entries, at);
    const signature = Buffer.concat([header(blockBytes, 32), entries]);
    const target = Buffer.concat(Array.from({ length: 9 }, () => blocks[0] ?? weak));
    const { delta } = await deltaFrom(dir, signature, target);
    expect(delta.toString('hex')).toBe(`72730236${'450040'.repeat(9)}00`);
  });

  test('with a million equal weak sums does not slow the search down', async () => {
    const blockBytes = 64;
    const block = pseudoRandomBytes('block', blockBytes);
    const entry = (await signatureOf(dir, block, { blockBytes, strongBytes: 8 })).subarray(12);
    const entries = Array.from({ length: 1_000_000 }, (_, n) => {
      const other = Buffer.from(entry);
      other.writeUInt32BE((n * 2654435761) >>> 0, 4);
      return other;
    });
    const signature = Buffer.concat([header(blockBytes, 8), ...entries, entry]);
    const target = Buffer.concat(Array<Buffer>(10_000).fill(block));
    const started = performance.now();
    const { statistics } = await deltaFrom(dir, signature, target);
    expect(statistics).toMatchObject({ copyCommands: 10_000, blocks: 1_000_001 });
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test('without its module the engine in TypeScript does the work, unless the other one is asked for', async () => {
  vi.resetModules();
  const read = vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('no such file'), { code: 'ENOENT', errno: -2, syscall: 'open' });
  });
  onTestFinished(() => {
    read.mockRestore();
    vi.resetModules();
  });
  const { chooseSignatureEngine } = await import('../../src/delta/choose-signature-engine.js');
  expect(chooseSignatureEngine('auto').name).toBe('js');
  expect(() => chooseSignatureEngine('wasm')).toThrow('WebAssembly engine');
  read.mockRestore();
  expect(chooseSignatureEngine('auto').name).toBe('wasm');
});
