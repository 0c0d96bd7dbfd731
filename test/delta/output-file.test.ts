import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { writeNewFile } from '../../src/delta/output-file.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const content = pseudoRandomBytes('output file', 300_001);
const { writeSync } = fs;

const writeAFew = ((fd: number, bytes: Uint8Array, at: number, length: number, position: number) =>
  writeSync(fd, bytes, at, Math.min(length, 10_007), position)) as typeof fs.writeSync;

test('a new file has all bytes, though the file system takes some of them at a time', async () => {
  using _some = vi.spyOn(fs, 'writeSync').mockImplementation(writeAFew);
  const path = join(await temporaryDirectory(), 'target');
  await writeNewFile(path, async (output) => {
    for (let at = 0; at < content.length; at += 140_000) output.write(content.subarray(at, at + 140_000));
  });
  expect(fs.readFileSync(path).equals(content)).toBe(true);
});

test('nothing is left of a new file when the disk is full', async () => {
  using _full = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC', errno: -28, syscall: 'write' });
  });
  const dir = await temporaryDirectory();
  const writing = writeNewFile(join(dir, 'target'), async (output) => output.write(content));
  await expect(writing).rejects.toMatchObject({ code: 'NO_SPACE' });
  expect(fs.readdirSync(dir)).toEqual([]);
});
