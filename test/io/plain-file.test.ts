import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readPlainTextFile, requirePlainDirectories } from '../../src/io/plain-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

it('reads a text of as many bytes as there may be, and nothing where there is no file', async () => {
  const directory = await temporaryDirectory();
  writeFileSync(join(directory, 'text'), 'zwölf');
  writeFileSync(join(directory, 'empty'), '');
  expect(await readPlainTextFile(join(directory, 'text'), 6)).toBe('zwölf');
  expect(await readPlainTextFile(join(directory, 'empty'), 0)).toBe('');
  expect(await readPlainTextFile(join(directory, 'none'), 6)).toBeNull();
});

it('refuses what is longer, no text, or no plain file, and waits for nobody', async () => {
  const directory = await temporaryDirectory();
  const at = (name: string) => join(directory, name);
  writeFileSync(at('long'), '1234567');
  writeFileSync(at('bytes'), Buffer.of(0xff, 0xfe));
  execFileSync('mkfifo', [at('fifo')]);
  symlinkSync('long', at('link'));
  const read = (path: string) => readPlainTextFile(path, 6);
  await expect(read(at('long'))).rejects.toMatchObject({
    code: 'FORMAT',
    message: `${at('long')}: expected at most 6 bytes, found 7`,
  });
  await expect(read(at('bytes'))).rejects.toMatchObject({ code: 'FORMAT' });
  const message = (path: string, found: string) => `${path}: expected a plain file, found ${found}`;
  for (const path of [at('fifo'), directory, '/dev/zero']) {
    await expect(read(path)).rejects.toMatchObject({ code: 'FORMAT', message: message(path, 'something else') });
  }
  await expect(read(at('link'))).rejects.toMatchObject({ code: 'IO', message: message(at('link'), 'a symbolic link') });
  // Files that have no size, and more bytes than may be read.
  await expect(read('/proc/self/status')).rejects.toMatchObject({
    code: 'FORMAT',
    message: expect.stringMatching(/more$/),
  });
});

it('takes plain directories, and those that are not there yet', async () => {
  const directory = await temporaryDirectory();
  mkdirSync(join(directory, 'metadata', 'meta'), { recursive: true });
  writeFileSync(join(directory, 'metadata', 'file'), '');
  symlinkSync('metadata', join(directory, 'link'));
  await requirePlainDirectories(directory, 'metadata/meta/none/yet');
  for (const [path, wrong] of [
    ['link/meta', 'link'],
    ['metadata/file', 'metadata/file'],
  ] as const) {
    await expect(requirePlainDirectories(directory, path)).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining(`${join(directory, wrong)}: expected a directory, found`),
    });
  }
});
