import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openSquashfs, type Squashfs } from '../../src/squashfs/squashfs.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { imageOf, packTree } from './make-image.js';

/*
 * An image whose metadata is stored as it is, so that a test can change a field and know what it means. Offsets are those
 * of squashfs-tools-ng doc/format.adoc: a directory entry has its inode's offset 8 bytes before the name, the difference of
 * the inode number at 6, the type at 4 and the size of the name at 2.
 */
const METADATA_HEADER_BYTES = 2;

describe.skipIf(!haveTools('mksquashfs'))('an image that was made to mislead', () => {
  const folder = temporaryDirectoryOfSuite();
  let good: Buffer;
  beforeAll(() => {
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, 'outer-folder/inner-folder'), { recursive: true });
    writeFileSync(join(tree, 'outer-folder/inner-folder/plain-file'), 'content');
    writeFileSync(join(tree, 'second-file'), 'x'.repeat(10_000));
    symlinkSync('second-file', join(tree, 'symbolic-link'));
    packTree(
      tree,
      join(folder, 'a.img'),
      '-comp',
      'lzo',
      '-noI',
      '-noD',
      '-noF',
      '-b',
      '4096',
      '-always-use-fragments',
    );
    good = readFileSync(join(folder, 'a.img'));
  });

  const changed = async (change: (bytes: Buffer) => void): Promise<Squashfs> => {
    const bytes = Buffer.from(good);
    change(bytes);
    return openSquashfs(imageOf(bytes));
  };
  const entryOf = (bytes: Buffer, name: string): number => bytes.indexOf(name, bytes.readUInt32LE(72)) - 8;
  const inodeOf = (bytes: Buffer, name: string): number =>
    bytes.readUInt32LE(64) + METADATA_HEADER_BYTES + bytes.readUInt16LE(entryOf(bytes, name));

  it('is read as long as nothing is changed', async () => {
    const image = await changed(() => undefined);
    expect(
      Buffer.from(await image.readFile('/outer-folder/inner-folder/plain-file', { maxBytes: 10 })).toString(),
    ).toBe('content');
  });

  it('by a folder that contains itself is refused where the circle closes', async () => {
    const image = await changed((bytes) => {
      const [outer, inner] = [entryOf(bytes, 'outer-folder'), entryOf(bytes, 'inner-folder')];
      bytes.writeUInt16LE(bytes.readUInt16LE(outer), inner);
      // Both are relative to the number in the header before the first entry of their listing.
      const headers = [bytes.readUInt32LE(outer - 4), bytes.readUInt32LE(inner - 4)] as const;
      bytes.writeInt16LE(headers[0] + bytes.readInt16LE(outer + 2) - headers[1], inner + 2);
    });
    expect(await image.list('/outer-folder')).toEqual([{ name: 'inner-folder', type: 'directory' }]);
    await expect(image.list('/outer-folder/inner-folder')).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(/expected directories that form a tree, found directory \d+ inside itself$/),
    });
  });

  it('by a name with a zero byte is refused', async () => {
    const image = await changed((bytes) => bytes.write('second\0file', entryOf(bytes, 'second-file') + 8, 'latin1'));
    await expect(image.list('/')).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining('expected a file name, found "second\\u0000file"'),
    });
  });

  it.each<readonly [string, (bytes: Buffer) => void, RegExp]>([
    [
      'an entry of another type than its inode',
      (b) => b.writeUInt16LE(3, entryOf(b, 'second-file') + 4),
      /expected the inode of a symlink, number 4, found one of a file, number 4$/,
    ],
    [
      'an entry of another number than its inode',
      (b) => b.writeInt16LE(99, entryOf(b, 'second-file') + 2),
      /expected the inode of a file, number \d+, found one of a file, number 4$/,
    ],
    [
      'an inode outside the table',
      (b) => b.writeUInt16LE(8191, entryOf(b, 'second-file')),
      /expected a place in the block, found one behind its end/,
    ],
    [
      'an inode of an unknown type',
      (b) => b.writeUInt16LE(15, inodeOf(b, 'second-file')),
      /expected an inode of type 1 to 14, found 15/,
    ],
    [
      'an inode number of 0',
      (b) => b.writeUInt32LE(0, inodeOf(b, 'second-file') + 12),
      /expected an inode number above 0, found 0/,
    ],
    [
      'a name of 300 bytes',
      (b) => b.writeUInt16LE(299, entryOf(b, 'second-file') + 6),
      /expected a name of at most 256 bytes, found 300/,
    ],
    [
      'a run of 300 entries',
      (b) => b.writeUInt32LE(299, entryOf(b, 'outer-folder') - 12),
      /expected at most 256 entries after a header, found 300/,
    ],
    [
      'data in the superblock',
      (b) => b.writeUInt32LE(50, inodeOf(b, 'second-file') + 16),
      /damaged at byte 50: expected data between byte 96 and \d+, found a block of 4096 bytes$/,
    ],
    [
      'data behind the image',
      (b) => b.writeUInt32LE(0xfffffff0, inodeOf(b, 'second-file') + 16),
      /damaged at byte 4294967280: expected data between byte 96 and \d+, found a block of 4096 bytes$/,
    ],
    [
      'a fragment that is not there',
      (b) => b.writeUInt32LE(7, inodeOf(b, 'second-file') + 20),
      /expected one of \d fragment blocks, found number 7 in an inode$/,
    ],
    [
      'a place outside the fragment',
      (b) => b.writeUInt32LE(4000, inodeOf(b, 'second-file') + 24),
      /expected bytes 4000 to 5808 of fragment block \d, found a block of \d+$/,
    ],
    [
      'a data block that is too large',
      (b) => b.writeUInt32LE(0x1001001, inodeOf(b, 'second-file') + 32),
      /expected a data block of at most 4096 bytes, found 0x1001001$/,
    ],
    [
      'a data block that is too small',
      (b) => b.writeUInt32LE(0x1000ffe, inodeOf(b, 'second-file') + 32),
      /expected a block of 4096 bytes, found 4094$/,
    ],
    [
      'unknown bits of a data block',
      (b) => b.writeUInt32LE(0x3001000, inodeOf(b, 'second-file') + 32),
      /expected a data block of at most 4096 bytes, found 0x3001000$/,
    ],
    [
      'a fragment table at a wild place',
      (b) => b.writeBigUInt64LE(2n ** 62n, b.readUInt32LE(80)),
      /expected a metadata block between byte 96 and \d+, found none there$/,
    ],
  ])('by %s is refused', async (_, change, message) => {
    const image = await changed(change);
    await expect(image.readFile('/second-file', { maxBytes: 20_000 })).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringMatching(message),
    });
  });

  it('by a link to a target of megabytes is refused', async () => {
    const image = await changed((bytes) => bytes.writeUInt32LE(5_000_000, inodeOf(bytes, 'symbolic-link') + 20));
    await expect(image.readLink('/symbolic-link')).rejects.toMatchObject({
      code: 'FORMAT',
      message: expect.stringContaining('expected a link target of 1 to 4096 bytes, found 5000000'),
    });
  });

  it('by a folder of 64 KiB of entries that are not there is refused', async () => {
    const image = await changed((bytes) => bytes.writeUInt16LE(65_535, inodeOf(bytes, 'outer-folder') + 24));
    await expect(image.list('/outer-folder')).rejects.toMatchObject({ code: 'FORMAT' });
  });

  it('by a file of 4 GiB of holes is refused by its size', async () => {
    const image = await changed((bytes) => bytes.writeUInt32LE(0xffffffff, inodeOf(bytes, 'second-file') + 28));
    await expect(image.readFile('/second-file', { maxBytes: 1_048_576 })).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected "/second-file" to have at most 1048576 bytes, found 4294967295',
    });
  });

  it('by a root that is no folder is refused', async () => {
    const image = await changed((bytes) => bytes.writeUInt16LE(bytes.readUInt16LE(entryOf(bytes, 'second-file')), 32));
    await expect(image.list('/')).rejects.toMatchObject({
      message: expect.stringMatching(/expected a directory as the root, found a file$/),
    });
  });
});
