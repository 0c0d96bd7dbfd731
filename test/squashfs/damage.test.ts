import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasCode, UpdateRepositoryError } from '../../src/errors.js';
import { openSquashfs, type Squashfs } from '../../src/squashfs/squashfs.js';
import { pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { imageOf, packTree, programLikeBytes } from './make-image.js';

const FLIPS = 2500;
const MAX_BYTES = 1_048_576;
/** Far more than the image has: a walk that goes on behind it goes round in circles. */
const MAX_ENTRIES = 2000;

/** Reads all that can be reached, and goes on where a file, a link or a folder is damaged. Yields what it was refused. */
async function readEverything(image: Squashfs): Promise<UpdateRepositoryError[]> {
  const refused: UpdateRepositoryError[] = [];
  const folders = ['/'];
  let entries = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, type } of (await attempt(image.list(folder), refused)) ?? []) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw new Error('the tree has no end');
      const path = `${folder === '/' ? '' : folder}/${name}`;
      if (type === 'directory') folders.push(path);
      if (type === 'symlink') await attempt(image.readLink(path), refused);
      await attempt(image.stat(path), refused);
      await attempt(image.readFile(path, { maxBytes: MAX_BYTES }), refused);
    }
  }
  return refused;
}

async function attempt<T>(work: Promise<T>, refused: UpdateRepositoryError[]): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    refused.push(error);
    return undefined;
  }
}

describe.skipIf(!haveTools('mksquashfs'))('a damaged image', () => {
  const folder = temporaryDirectoryOfSuite();
  const tree = join(folder, 'tree');
  beforeAll(() => {
    mkdirSync(join(tree, 'usr/share/empty'), { recursive: true });
    writeFileSync(join(tree, 'usr/blocks'), programLikeBytes('blocks', 10_000));
    writeFileSync(join(tree, 'usr/share/tail'), programLikeBytes('tail', 700));
    writeFileSync(join(tree, 'usr/share/sparse'), Buffer.concat([Buffer.alloc(8192), Buffer.from('end')]));
    writeFileSync(join(tree, 'empty'), '');
    symlinkSync('share/tail', join(tree, 'usr/link'));
  });

  const imageWith = (options: readonly string[]): Buffer => {
    const path = join(folder, `${options.join('')}.img`);
    packTree(tree, path, '-b', '4096', ...options);
    return readFileSync(path);
  };

  it.each(['gzip', 'lzo', 'xz', 'lz4', 'zstd', 'lzo -noI -noD -noF'])(
    'packed with %s gives data or FORMAT with any bit changed',
    async (compressor) => {
      const good = imageWith(['-comp', ...compressor.split(' ')]);
      // In a whole image the three folders are refused as files.
      expect(await readEverything(await openSquashfs(imageOf(good)))).toHaveLength(3);
      const [used, tables] = [good.readUInt32LE(40), good.readUInt32LE(64)];
      const random = pseudoRandomNumbers(`flips of ${compressor}`);
      let noticed = 0;
      for (let i = 0; i < FLIPS; i += 1) {
        // Every second one in the tables, which are a small part of the image and the more delicate one.
        const at = i % 2 === 0 ? Math.floor(random() * used) : tables + Math.floor(random() * (used - tables));
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
        const refused = await openAndReadEverything(bytes);
        for (const error of refused) expect(['FORMAT', 'NOT_FOUND']).toContain(error.code);
        if (refused.some(({ message }) => message.startsWith('test.img: damaged at byte '))) noticed += 1;
      }
      expect(noticed).toBeGreaterThan(FLIPS / 20);
    },
  );

  it.each(['gzip', 'lzo', 'xz', 'lz4', 'zstd'])(
    'packed with %s is refused wherever it is cut off',
    async (compressor) => {
      const good = imageWith(['-comp', compressor]);
      const used = good.readUInt32LE(40);
      for (let length = 0; length < used; length += length < 200 ? 1 : 13) {
        const message = expect.stringMatching(/^test\.img: damaged at byte \d+: expected .+, found a truncated .+$/);
        await expect(openSquashfs(imageOf(good.subarray(0, length)))).rejects.toMatchObject({
          code: 'FORMAT',
          message,
        });
      }
      expect((await openSquashfs(imageOf(good.subarray(0, used)))).info.bytesUsed).toBe(used);
    },
  );

  it('that was packed with lzma is refused by the name of its compressor', async () => {
    await expect(openSquashfs(imageOf(imageWith(['-comp', 'lzma'])))).rejects.toMatchObject({
      code: 'FORMAT',
      message: 'test.img: expected an image packed with gzip, lzo, xz, lz4 or zstd, found lzma',
    });
  });
});

async function openAndReadEverything(bytes: Buffer): Promise<UpdateRepositoryError[]> {
  try {
    return await readEverything(await openSquashfs(imageOf(bytes)));
  } catch (error) {
    if (hasCode(error, 'FORMAT')) return [error];
    throw error;
  }
}
