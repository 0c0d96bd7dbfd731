import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Squashfs } from '../../src/squashfs/squashfs.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { openImage, packTree } from './make-image.js';

describe.skipIf(!haveTools('mksquashfs'))('a path inside an image', () => {
  const folder = temporaryDirectoryOfSuite();
  let image: Squashfs;
  beforeAll(async () => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'usr/share/data'), { recursive: true });
    writeFileSync(join(tree, 'usr/share/data/file'), 'content');
    writeFileSync(join(tree, 'usr/share/data/größe'), 'size');
    writeFileSync(Buffer.from(join(tree, 'latin1-\xe9'), 'latin1'), 'not UTF-8');
    const links: Record<string, string> = {
      relative: 'usr/share/data/file',
      absolute: '/usr/share/data/file',
      'usr/up': '../usr/share/../share/data/file',
      'usr/out': '../../../../../../../../usr/share/data/file',
      data: 'usr/share/data',
      'usr/to-data': '/data',
      'usr/trailing': './share//data/./file',
      dangling: 'usr/nothing',
      'through-file': 'relative/inside',
      circle: 'other-circle',
      'other-circle': 'circle',
      top: '/',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(tree, name));
    for (let i = 0; i < 45; i += 1) symlinkSync(i === 0 ? 'relative' : `hop-${i - 1}`, join(tree, `hop-${i}`));
    packTree(tree, join(folder, 'image.img'), '-comp', 'lzo');
    image = await openImage(join(folder, 'image.img'));
  });

  const read = async (path: string) => Buffer.from(await image.readFile(path, { maxBytes: 100 })).toString();

  it.each([
    '/usr/share/data/file',
    '//usr/./share/data/../data/file',
    '/../../usr/share/data/file',
    '/relative',
    '/absolute',
    '/usr/up',
    '/usr/out',
    '/data/file',
    '/usr/to-data/file',
    '/usr/to-data/../data/file',
    '/usr/trailing',
    '/top/top/relative',
    '/hop-38',
  ])('%s leads to the file', async (path) => {
    expect(await read(path)).toBe('content');
  });

  it('is UTF-8', async () => {
    expect(await read('/data/größe')).toBe('size');
  });

  it('cannot name a file whose name is no UTF-8, which is listed all the same', async () => {
    const entry = (await image.list('/')).find(({ name }) => name.startsWith('latin1'));
    expect(entry).toEqual({ name: 'latin1-\ufffd', type: 'file' });
    await expect(read('/latin1-\ufffd')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['/nothing', '/usr/nothing/file', '/dangling', '/through-file', '/relative/inside', '/usr/share/data/fil'])(
    '%s leads nowhere',
    async (path) => {
      const message = `test.img: has no "${path}"`;
      await expect(read(path)).rejects.toMatchObject({ code: 'NOT_FOUND', message });
    },
  );

  it.each(['/circle', '/circle/inside', '/hop-39'])('%s takes more symbolic links than Linux follows', async (path) => {
    const message = `test.img: expected at most 40 symbolic links on the way to "${path}", found more`;
    await expect(read(path)).rejects.toMatchObject({ code: 'FORMAT', message });
  });

  it('is absolute', async () => {
    await expect(read('usr/share/data/file')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(read('')).rejects.toMatchObject({ code: 'USAGE' });
    await expect(read(`/${'a/'.repeat(2100)}`)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('leads to what the call asks for', async () => {
    await expect(read('/usr')).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected "/usr" to be a regular file, found a directory',
    });
    await expect(image.list('/relative')).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected "/relative" to be a directory, found a file',
    });
    await expect(image.readLink('/usr')).rejects.toMatchObject({
      message: 'test.img: expected "/usr" to be a symbolic link, found a directory',
    });
  });

  it('is not followed at its end by stat and readLink', async () => {
    expect(await image.stat('/data')).toMatchObject({ type: 'symlink', sizeBytes: 0 });
    expect(await image.stat('/data/file')).toMatchObject({ type: 'file', sizeBytes: 7 });
    expect(await image.readLink('/usr/to-data')).toBe('/data');
    expect(await image.stat('/')).toMatchObject({ type: 'directory' });
  });

  it('lists the folder behind a link, sorted bytewise', async () => {
    expect(await image.list('/usr/to-data')).toEqual([
      { name: 'file', type: 'file' },
      { name: 'größe', type: 'file' },
    ]);
  });

  it('is read only where the file is small enough', async () => {
    await expect(image.readFile('/relative', { maxBytes: 6 })).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected "/relative" to have at most 6 bytes, found 7',
    });
    expect(await image.readFile('/relative', { maxBytes: 7 })).toHaveLength(7);
  });
});
