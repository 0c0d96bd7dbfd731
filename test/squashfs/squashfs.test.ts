import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openImageFile } from '../../src/squashfs/random-access-file.js';
import { openSquashfs } from '../../src/squashfs/squashfs.js';
import { pseudoRandomBytes } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { makeVariedTree, openImage, packTree, readFolder, readImage } from './make-image.js';

const VARIANTS: readonly (readonly string[])[] = [
  ['-comp', 'gzip'],
  ['-comp', 'lzo'],
  ['-comp', 'lzo', '-Xalgorithm', 'lzo1x_1'],
  ['-comp', 'lzo', '-Xalgorithm', 'lzo1x_1_11'],
  ['-comp', 'lzo', '-Xalgorithm', 'lzo1x_1_12'],
  ['-comp', 'lzo', '-Xalgorithm', 'lzo1x_1_15'],
  ['-comp', 'xz'],
  ['-comp', 'xz', '-Xbcj', 'x86'],
  ['-comp', 'xz', '-Xbcj', 'arm,armthumb,powerpc,sparc'],
  ['-comp', 'xz', '-Xdict-size', '50%'],
  ['-comp', 'lz4'],
  ['-comp', 'lz4', '-Xhc'],
  ['-comp', 'zstd'],
  ['-comp', 'zstd', '-Xcompression-level', '1'],
  ['-comp', 'zstd', '-Xcompression-level', '22'],
  ['-comp', 'lzo', '-noI'],
  ['-comp', 'lzo', '-noD'],
  ['-comp', 'lzo', '-noF'],
  ['-comp', 'lzo', '-noI', '-noD', '-noF', '-noX'],
  ['-comp', 'gzip', '-b', '4096'],
  ['-comp', 'lzo', '-b', '1M'],
  ['-comp', 'zstd', '-b', '1M'],
  ['-comp', 'xz', '-b', '1M'],
  ['-comp', 'lz4', '-no-fragments'],
  ['-comp', 'lz4', '-always-use-fragments'],
  ['-comp', 'lz4', '-no-duplicates', '-no-sparse', '-no-exports'],
];

describe.skipIf(!haveTools('mksquashfs'))('an image made by mksquashfs', () => {
  const folder = temporaryDirectoryOfSuite();
  const tree = join(folder, 'tree');
  beforeAll(() => {
    mkdirSync(tree);
    makeVariedTree(tree);
  });

  it.each(VARIANTS.map((options) => [options.join(' '), options] as const))(
    'with %s has every file of the tree it was made from',
    async (name, options) => {
      const image = join(folder, `${name.replaceAll(/[^a-z0-9]/gi, '')}.img`);
      packTree(tree, image, ...options);
      expect(await readImage(await openImage(image))).toEqual(readFolder(tree));
    },
  );

  it('describes itself', async () => {
    const image = join(folder, 'info.img');
    packTree(tree, image, '-comp', 'lzo', '-b', '256K');
    const file = await openImageFile(image);
    const { info, name } = await openSquashfs(file);
    await file.close();
    expect(name).toBe(image);
    expect(info).toMatchObject({ compressor: 'lzo', blockSizeBytes: 262_144, versionMajor: 4, versionMinor: 0 });
    expect(info.createdAtSeconds).toBe(1_700_000_000);
    expect(info.inodeCount).toBe(new Set([...readFolder(tree).keys()]).size); // one more for the root, one less for the hard link
    expect(info.bytesUsed).toBeLessThanOrEqual(file.sizeBytes);
  });

  it('may have a folder of 5,000 files, with a directory index', async () => {
    const many = join(folder, 'many');
    mkdirSync(join(many, 'here'), { recursive: true });
    for (let i = 0; i < 5000; i += 1)
      writeFileSync(join(many, 'here', `file-${i}-${'x'.repeat(i % 50)}`), `content of ${i}`);
    const image = join(folder, 'many.img');
    packTree(many, image, '-comp', 'lzo');
    expect(await readImage(await openImage(image))).toEqual(readFolder(many));
  });

  it('may have more fragment blocks than fit into a block of their table', async () => {
    const many = join(folder, 'fragments');
    mkdirSync(many);
    for (let i = 0; i < 600; i += 1) writeFileSync(join(many, `${i}`), pseudoRandomBytes(`${i}`, 3000));
    const image = join(folder, 'fragments.img');
    packTree(many, image, '-comp', 'lz4', '-b', '4096');
    expect(await readImage(await openImage(image))).toEqual(readFolder(many));
  });

  it('may be empty', async () => {
    const none = join(folder, 'none');
    mkdirSync(none);
    packTree(none, join(folder, 'none.img'));
    expect(await (await openImage(join(folder, 'none.img'))).list('/')).toEqual([]);
  });

  it('may have devices and pipes', async () => {
    const none = join(folder, 'special');
    mkdirSync(none);
    const pseudo = ['-p', 'tty c 620 0 0 4 0', '-p', 'sda b 660 0 0 8 0', '-p', 'pipe i 600 0 0 f'];
    packTree(none, join(folder, 'special.img'), ...pseudo);
    const image = await openImage(join(folder, 'special.img'));
    expect(await image.list('/')).toEqual([
      { name: 'pipe', type: 'fifo' },
      { name: 'sda', type: 'block-device' },
      { name: 'tty', type: 'character-device' },
    ]);
    expect(await image.stat('/tty')).toMatchObject({ type: 'character-device', mode: 0o620, sizeBytes: 0 });
  });
});
