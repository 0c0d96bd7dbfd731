import { readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { linkFile } from '../../src/io/link.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

async function makeSource(): Promise<{ source: string; destination: string }> {
  const directory = await temporaryDirectory();
  const source = join(directory, 'source');
  await writeFile(source, Buffer.alloc(3_000_000, 'abc'));
  await utimes(source, 1_600_000_000, 1_600_000_000);
  return { source, destination: join(directory, 'destination') };
}

it('hard-links where that works', async () => {
  const { source, destination } = await makeSource();
  expect(linkFile(source, destination, 'auto')).toBe('hard');
  expect((await stat(destination)).ino).toBe((await stat(source)).ino);
});

it('links the file that a symbolic link leads to, not the link', async () => {
  const { source, destination } = await makeSource();
  await symlink(source, `${source}.link`);
  expect(linkFile(`${source}.link`, destination, 'hard')).toBe('hard');
  expect((await stat(destination)).ino).toBe((await stat(source)).ino);
});

it('copies all bytes and the mtime, as a file of its own', async () => {
  const { source, destination } = await makeSource();
  expect(linkFile(source, destination, 'copy')).toBe('copy');
  expect((await readFile(destination)).equals(await readFile(source))).toBe(true);
  expect((await stat(destination)).mtimeMs).toBe(1_600_000_000_000);
  expect((await stat(destination)).ino).not.toBe((await stat(source)).ino);
});

it('never replaces a file', async () => {
  const { source, destination } = await makeSource();
  await writeFile(destination, 'mine');
  for (const mode of ['auto', 'hard', 'copy'] as const) {
    expect(() => linkFile(source, destination, mode)).toThrow(expect.objectContaining({ code: 'IO' }));
  }
  expect(await readFile(destination, 'utf8')).toBe('mine');
});

it('names both files when the source is not there', () => {
  expect(() => linkFile('/nonexistent/source', '/nonexistent/destination', 'auto')).toThrow(
    expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('/nonexistent/source') }),
  );
});
