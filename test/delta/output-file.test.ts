import fs, { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type OutputFile, writeNewFile } from '../../src/delta/output-file.js';
import { pageAligned } from '../../src/io/page-aligned.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const content = pseudoRandomBytes('output file', 300_001);
const { O_DIRECT } = fs.constants;

/** Writes the content in pieces of these sizes, the last one as often as it takes. */
async function writeInPieces(output: OutputFile, sizes: readonly number[]): Promise<void> {
  const memory = pageAligned(content.length);
  for (let [at, n] = [0, 0]; at < content.length; n += 1) {
    const piece = memory.subarray(0, Math.min(sizes[Math.min(n, sizes.length - 1)] ?? 0, content.length - at));
    piece.set(content.subarray(at, at + piece.length));
    await output.writeSoon(piece);
    at += piece.length;
  }
}

/** The file that comes of it, and the flags by which it was opened. */
async function written(sizes: readonly number[]) {
  const path = join(await temporaryDirectory(), 'target');
  const open = vi.spyOn(fs, 'openSync');
  onTestFinished(() => open.mockRestore());
  await writeNewFile(path, (output) => writeInPieces(output, sizes), { direct: true });
  const flags = open.mock.calls.filter(([opened]) => String(opened).startsWith(path)).map(([, flag]) => flag);
  return { bytes: readFileSync(path), flags };
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -1, syscall: 'write' });
}

describe('a file that is written past the page cache', () => {
  test('has all bytes, the odd ones at its end by the cache', async () => {
    const { bytes, flags } = await written([65536]);
    expect(bytes.equals(content)).toBe(true);
    expect(flags.map((flag) => Number(flag) & O_DIRECT)).toContain(O_DIRECT);
    expect(flags.at(-1)).toBe(fs.constants.O_WRONLY);
  });

  test('has all bytes, whatever pieces they come in', async () => {
    for (const sizes of [[4096, 4095, 8192], [8192, 3, 65536], [300_001]]) {
      expect((await written(sizes)).bytes.equals(content)).toBe(true);
    }
  });

  test('goes past it again behind odd bytes', async () => {
    const { bytes, flags } = await written([4096, 4095, 1, 65536]);
    expect(bytes.equals(content)).toBe(true);
    expect(flags.map((flag) => (flag === 'wx' ? flag : Number(flag) & O_DIRECT))).toEqual([
      'wx',
      O_DIRECT,
      0,
      O_DIRECT,
      0,
    ]);
  });

  test('goes by the cache where the file system does not take the flag', async () => {
    const open = fs.openSync;
    const refuse = vi.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
      if (typeof flags === 'number' && (flags & O_DIRECT) !== 0) throw systemError('EINVAL');
      return open(path, flags, mode);
    });
    onTestFinished(() => refuse.mockRestore());
    const path = join(await temporaryDirectory(), 'target');
    await writeNewFile(path, (output) => writeInPieces(output, [65536]), { direct: true });
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('goes on by the cache where the file system takes the flag and not the bytes', async () => {
    const path = join(await temporaryDirectory(), 'target');
    await writeNewFile(
      path,
      async (output) => {
        await output.writeSoon(pageAligned(4096));
        // Not aligned in memory, which looks like such a file system.
        const odd = pageAligned(16384).subarray(8, 8 + 8192);
        Object.defineProperty(odd, 'byteOffset', { value: 0 });
        odd.fill(7);
        await output.writeSoon(odd);
        await output.writeSoon(pageAligned(4096));
      },
      { direct: true },
    );
    expect(
      readFileSync(path).equals(Buffer.concat([Buffer.alloc(4096), Buffer.alloc(8192, 7), Buffer.alloc(4096)])),
    ).toBe(true);
  });

  test('leaves nothing when the disk is full', async () => {
    const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw systemError('ENOSPC');
    });
    onTestFinished(() => full.mockRestore());
    const dir = await temporaryDirectory();
    const writing = writeNewFile(join(dir, 'target'), (output) => writeInPieces(output, [65536]), { direct: true });
    await expect(writing).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(readdirSync(dir)).toEqual([]);
  });
});
