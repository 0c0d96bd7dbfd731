import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openImageFile } from '../../src/squashfs/random-access-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

it('a file is read at any place', async () => {
  const path = join(await temporaryDirectory(), 'a.img');
  writeFileSync(path, '0123456789');
  const file = await openImageFile(path);
  expect(file).toMatchObject({ name: path, sizeBytes: 10 });
  expect(Buffer.from(await file.read(3, 4)).toString()).toBe('3456');
  expect(await file.read(10, 0)).toHaveLength(0);
  await file.close();
});

it('a file that has become shorter is an error, not fewer bytes', async () => {
  const path = join(await temporaryDirectory(), 'a.img');
  writeFileSync(path, '0123456789');
  const file = await openImageFile(path);
  truncateSync(path, 5);
  await expect(file.read(3, 4)).rejects.toMatchObject({
    code: 'CHANGED_WHILE_READ',
    message: `${path}: expected 4 bytes at byte 3, found 2: the file has become shorter`,
  });
  await file.close();
});

it('a missing file, a folder and a pipe are refused at once', async () => {
  const folder = await temporaryDirectory();
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await expect(openImageFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  for (const path of [folder, pipe]) {
    const message = `${path}: cannot read the image: it is no regular file`;
    await expect(openImageFile(path)).rejects.toMatchObject({ code: 'IO', message });
  }
});
