import fs, { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WrittenFile } from '../../src/delta/written-file.js';
import { pageAligned } from '../../src/io/page-aligned.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const content = pseudoRandomBytes('written file', 300_001);
const { O_DIRECT } = fs.constants;

async function newFile(): Promise<WrittenFile> {
  const file = new WrittenFile(join(await temporaryDirectory(), 'target'), 'wx', { direct: true });
  onTestFinished(() => file.close());
  return file;
}

/** Writes the content in pieces of these sizes, the last one as often as it takes. */
async function writeInPieces(file: WrittenFile, sizes: readonly number[]): Promise<void> {
  const memory = pageAligned(content.length);
  for (let [at, n] = [0, 0]; at < content.length; n += 1) {
    const piece = memory.subarray(0, Math.min(sizes[Math.min(n, sizes.length - 1)] ?? 0, content.length - at));
    piece.set(content.subarray(at, at + piece.length));
    await file.writeSoon(piece);
    at += piece.length;
  }
}

/** The file that comes of it, and the flags by which it was opened. */
async function written(sizes: readonly number[]) {
  const open = vi.spyOn(fs, 'openSync');
  onTestFinished(() => open.mockRestore());
  const file = await newFile();
  await writeInPieces(file, sizes);
  const flags = open.mock.calls.filter(([opened]) => opened === file.path).map(([, flag]) => flag);
  return { bytes: readFileSync(file.path), flags };
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
    const file = await newFile();
    await writeInPieces(file, [65536]);
    expect(readFileSync(file.path).equals(content)).toBe(true);
  });

  test('goes on by the cache where the file system takes the flag and not the bytes', async () => {
    const file = await newFile();
    await file.writeSoon(pageAligned(4096));
    // Not aligned in memory, which looks like such a file system.
    const odd = pageAligned(16384).subarray(8, 8 + 8192);
    Object.defineProperty(odd, 'byteOffset', { value: 0 });
    odd.fill(7);
    await file.writeSoon(odd);
    await file.writeSoon(pageAligned(4096));
    expect(
      readFileSync(file.path).equals(Buffer.concat([Buffer.alloc(4096), Buffer.alloc(8192, 7), Buffer.alloc(4096)])),
    ).toBe(true);
  });

  test('says so when the disk is full', async () => {
    const full = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw systemError('ENOSPC');
    });
    onTestFinished(() => full.mockRestore());
    await expect(writeInPieces(await newFile(), [4095])).rejects.toMatchObject({ code: 'NO_SPACE' });
  });
});
