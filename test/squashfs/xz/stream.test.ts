import { execFileSync } from 'node:child_process';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { hasCode } from '../../../src/errors.js';
import { decompressXz } from '../../../src/squashfs/xz/stream.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../../support/pseudo-random.js';
import { haveTools } from '../../support/tools.js';
import { programLikeBytes } from '../make-image.js';

const pack = (input: Buffer, ...options: readonly string[]) =>
  execFileSync('xz', ['--format=xz', '--check=crc32', '-c', ...options], { input, maxBuffer: 2 ** 30 });

const OPCODES = [0xe8, 0xe9, 0xeb, 0x48, 0x40, 0x7f, 0xf0, 0xf8, 0xff, 0x00];

/** Bytes in which every second word looks like a branch of some processor, so that every filter has much to do. */
function branches(sizeBytes: number): Buffer {
  const bytes = pseudoRandomBytes('branches', sizeBytes);
  for (let at = 0; at < sizeBytes; at += 1) {
    if (bytes[at]! % 3 === 0) bytes[at] = OPCODES[bytes[at]! % OPCODES.length]!;
    if (at % 16 === 0) bytes.writeUInt32BE(0x48000001 + 4 * (bytes[at]! & 0xff), Math.min(at, sizeBytes - 4));
    if (at % 16 === 4) bytes.writeUInt32BE(0x40000000 + bytes[at]!, Math.min(at, sizeBytes - 4));
    if (at % 16 === 8) bytes.writeUInt32BE(0x7fc00000 + bytes[at]!, Math.min(at, sizeBytes - 4));
  }
  return bytes;
}

describe.skipIf(!haveTools('xz'))('a stream made by xz', () => {
  const samples: Record<string, Buffer> = {
    'one byte': Buffer.from('x'),
    'three bytes': Buffer.from('\xe8\0\0', 'latin1'),
    zeros: Buffer.alloc(1_000_000),
    random: pseudoRandomBytes('xz', 100_001),
    'program-like': programLikeBytes('xz', 300_000),
    'branch-like': branches(200_003),
    'full of opcodes': Buffer.from(
      pseudoRandomBytes('opcodes', 100_000).map((byte) => OPCODES[byte % OPCODES.length]!),
    ),
  };

  it.each(['', '--x86', '--powerpc', '--arm', '--armthumb', '--sparc', '--x86 --arm'])(
    'with the filters "%s" unpacks to what was packed',
    async (filters) => {
      const options = filters === '' ? ['-6'] : [...filters.split(' '), '--lzma2=dict=1MiB'];
      for (const [name, sample] of Object.entries(samples)) {
        const unpacked = await decompressXz(pack(sample, ...options), 1_048_576);
        expect(Buffer.compare(unpacked, sample), name).toBe(0);
      }
    },
  );

  it('needs no check', async () => {
    const sample = programLikeBytes('check', 5000);
    expect(Buffer.compare(await decompressXz(pack(sample, '--check=none'), 5000), sample)).toBe(0);
  });

  it('gets no more memory for its dictionary than its output needs', async () => {
    const packed = pack(Buffer.from('small'), '--lzma2=dict=1GiB');
    expect(Buffer.from(await decompressXz(packed, 100)).toString()).toBe('small');
  });

  it.each([
    ['another check', ['--check=sha256'], 'expected a check of CRC32 or none, found check type 10'],
    ['a filter for IA-64', ['--ia64', '--lzma2'], 'expected a filter for x86, PowerPC, ARM or SPARC, found filter 6'],
    [
      'another filter',
      ['--delta=dist=1', '--lzma2'],
      'expected a filter for x86, PowerPC, ARM or SPARC, found filter 3',
    ],
    [
      'a filter that starts elsewhere',
      ['--x86=start=16', '--lzma2'],
      'expected a filter that starts at 0, found another one',
    ],
    ['two blocks', ['--block-size=2000'], 'expected one block, found 2'],
  ])('with %s is refused', async (_, options, message) => {
    const packed = pack(programLikeBytes('refused', 4000), ...options);
    await expect(decompressXz(packed, 4000)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining(message),
    });
  });

  it('with more output than is allowed is refused', async () => {
    const packed = pack(programLikeBytes('refused', 4000));
    await expect(decompressXz(packed, 3999)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining('expected at most 3999 unpacked bytes, found 4000'),
    });
  });

  it('is refused wherever it is cut off', async () => {
    const packed = pack(programLikeBytes('cut', 3000));
    for (let length = 0; length < packed.length; length += 5) {
      await expect(decompressXz(packed.subarray(0, length), 3000)).rejects.toMatchObject({ code: 'FORMAT' });
    }
  });

  it('with any bit changed gives FORMAT or, where the bit meant nothing, the same data', async () => {
    const sample = programLikeBytes('flip', 3000);
    const packed = pack(sample, '--x86', '--lzma2=dict=8KiB');
    const random = pseudoRandomNumbers('xz flips');
    for (let i = 0; i < 3000; i += 1) {
      const flipped = Uint8Array.from(packed);
      const at = Math.floor(random() * packed.length);
      flipped[at] = flipped[at]! ^ (1 << Math.floor(random() * 8));
      const unpacked = await dataOrFormat(flipped, 3000);
      if (unpacked !== undefined) expect(Buffer.compare(unpacked, sample)).toBe(0);
    }
    expect(Buffer.compare(await decompressXz(packed, 3000), sample)).toBe(0);
  });

  it('is refused where its check is of other bytes', async () => {
    const packed = pack(Buffer.alloc(3000, 'abc'));
    const checkAt = packed.length - 12 - 4 * (packed.readUInt32LE(packed.length - 8) + 1) - 4;
    packed[checkAt] = packed[checkAt]! ^ 1;
    await expect(decompressXz(packed, 3000)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining('expected bytes that fit their CRC32, found others'),
    });
  });

  it('that claims less than it holds is refused', async () => {
    const packed = pack(Buffer.alloc(3000, 'abc'));
    const smaller = withUnpackedSize(packed, 3000, 2999);
    await expect(decompressXz(smaller, 3000)).rejects.toMatchObject({ code: 'FORMAT' });
    const larger = withUnpackedSize(packed, 3000, 3001);
    await expect(decompressXz(larger, 4000)).rejects.toMatchObject({ code: 'FORMAT' });
    expect(await decompressXz(packed, 3000)).toHaveLength(3000);
  });
});

async function dataOrFormat(input: Uint8Array, maxBytes: number): Promise<Uint8Array | undefined> {
  try {
    return await decompressXz(input, maxBytes);
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return undefined;
    throw error;
  }
}

/** Changes the size in the index, a number of two bytes, and makes its CRC32 fit again. */
function withUnpackedSize(packed: Buffer, before: number, after: number): Buffer {
  const changed = Buffer.from(packed);
  const encode = (value: number) => Buffer.of((value & 0x7f) | 0x80, value >> 7);
  const footerAt = changed.length - 12;
  const indexAt = footerAt - 4 * (changed.readUInt32LE(footerAt + 4) + 1);
  const sizeAt = changed.indexOf(encode(before), indexAt);
  encode(after).copy(changed, sizeAt);
  changed.writeUInt32LE(crc32(changed.subarray(indexAt, footerAt - 4)), footerAt - 4);
  return changed;
}
