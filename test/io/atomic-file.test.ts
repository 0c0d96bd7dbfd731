import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeDirectory, readTextFile, writeFileAtomic } from '../../src/io/atomic-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const umask = process.umask();
afterEach(() => {
  process.umask(umask);
});

it('replaces a file and leaves no other', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'CKSUMS'), 'old');
  await writeFileAtomic(join(directory, 'CKSUMS'), 'new', join(directory, 'tmp'));
  expect(await readFile(join(directory, 'CKSUMS'), 'utf8')).toBe('new');
  expect(await readdir(directory)).toEqual(['CKSUMS']);
});

it('leaves the old file and no temporary one when the new one cannot take its place', async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'taken', 'full'), { recursive: true });
  const write = writeFileAtomic(join(directory, 'taken'), 'new', join(directory, 'tmp'));
  await expect(write).rejects.toMatchObject({ code: 'IO', message: expect.stringContaining('taken') });
  expect(await readdir(directory)).toEqual(['taken']);
});

it('writes for everybody to read, whatever the umask', async () => {
  const directory = await temporaryDirectory();
  process.umask(0o077);
  await writeFileAtomic(join(directory, 'index.json'), '{}', join(directory, 'tmp'));
  expect((await stat(join(directory, 'index.json'))).mode & 0o777).toBe(0o644);
});

it('reads nothing from a file that is not there, and refuses one that is too long or no text', async () => {
  const directory = await temporaryDirectory();
  expect(await readTextFile(join(directory, 'none'), 10)).toBeNull();
  await writeFile(join(directory, 'long'), '12345678901');
  await expect(readTextFile(join(directory, 'long'), 10)).rejects.toMatchObject({
    code: 'FORMAT',
    message: expect.stringContaining('expected at most 10 bytes, found 11'),
  });
  await writeFile(join(directory, 'binary'), Buffer.from([0xff, 0xfe, 0xff]));
  await expect(readTextFile(join(directory, 'binary'), 10)).rejects.toMatchObject({ code: 'FORMAT' });
});

it('makes directories that others may enter, and leaves existing ones as they are', async () => {
  const directory = await temporaryDirectory();
  process.umask(0o022);
  await makeDirectory(join(directory, 'a', 'b'));
  expect((await stat(join(directory, 'a', 'b'))).mode & 0o777).toBe(0o755);
  await chmod(join(directory, 'a', 'b'), 0o700);
  await makeDirectory(join(directory, 'a', 'b'));
  expect((await stat(join(directory, 'a', 'b'))).mode & 0o777).toBe(0o700);
});
