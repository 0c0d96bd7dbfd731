import { UpdateRepositoryError } from '../errors.js';
import { damagedImage } from './damage.js';
import { type DataBlock, isHole, parseDataBlock, readDataBlock } from './data-block.js';
import type { FileInode } from './inode.js';
import { u32 } from './little-endian.js';
import { MetadataCursor } from './metadata-cursor.js';
import type { Volume } from './volume.js';

const SIZE_WORD_BYTES = 4;

/**
 * Reads a file. Holds its bytes, its list of blocks and one block more; reads nothing where it has more than `maxBytes`.
 *
 * @param path For messages.
 * @throws FORMAT where the file is larger or damaged.
 */
export async function readFileData(
  volume: Volume,
  inode: FileInode,
  path: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const { source } = volume;
  if (inode.sizeBytes > maxBytes) throw tooLarge(source.file.name, path, inode.sizeBytes, maxBytes);
  const { blockSizeBytes } = volume.superblock;
  const list = await readBlockList(volume, inode);
  const data = new Uint8Array(inode.sizeBytes);
  for (const [index, block] of list.entries()) {
    const from = index * blockSizeBytes;
    const part = data.subarray(from, from + blockSizeBytes);
    if (!isHole(block)) part.set(await readWholeBlock(volume, block, part.length));
  }
  const done = list.length * blockSizeBytes;
  if (inode.fragment !== null && done < data.length) {
    data.set(await readTail(volume, inode.fragment, data.length - done), done);
  }
  return data;
}

/** The blocks stand one behind the other (squashfs-tools-ng doc/format.adoc, section 4). */
async function readBlockList(volume: Volume, inode: FileInode): Promise<DataBlock[]> {
  const { source, superblock, blocks } = volume;
  const wholeBlocks = inode.sizeBytes / superblock.blockSizeBytes;
  const count = inode.fragment === null ? Math.ceil(wholeBlocks) : Math.floor(wholeBlocks);
  const cursor = new MetadataCursor(blocks, superblock.inodeTable, inode.blockSizes);
  const words = await cursor.read(count * SIZE_WORD_BYTES);
  const limits = { region: superblock.data, blockSizeBytes: superblock.blockSizeBytes };
  const list: DataBlock[] = [];
  let offset = inode.dataOffset;
  for (let i = 0; i < count; i += 1) {
    const block = parseDataBlock(source.file.name, u32(words, i * SIZE_WORD_BYTES), offset, limits);
    list.push(block);
    offset += block.sizeBytes;
  }
  return list;
}

/** Linux too refuses a block that unpacks to less than its part of the file (fs/squashfs/file_direct.c). */
async function readWholeBlock(volume: Volume, block: DataBlock, lengthBytes: number): Promise<Uint8Array> {
  const bytes = await readDataBlock(volume.source, block, lengthBytes);
  if (bytes.length === lengthBytes) return bytes;
  throw damagedImage(volume.source.file.name, block.offset, `a block of ${lengthBytes} bytes`, `${bytes.length}`);
}

async function readTail(
  volume: Volume,
  { index, offsetBytes }: NonNullable<FileInode['fragment']>,
  lengthBytes: number,
): Promise<Uint8Array> {
  const block = await volume.fragments.read(index);
  if (offsetBytes + lengthBytes <= block.length) return block.subarray(offsetBytes, offsetBytes + lengthBytes);
  const expected = `bytes ${offsetBytes} to ${offsetBytes + lengthBytes} of fragment block ${index}`;
  throw damagedImage(
    volume.source.file.name,
    volume.superblock.fragmentTableBytes,
    expected,
    `a block of ${block.length}`,
  );
}

function tooLarge(image: string, path: string, found: number, maxBytes: number): UpdateRepositoryError {
  return new UpdateRepositoryError(
    'FORMAT',
    `${image}: expected ${JSON.stringify(path)} to have at most ${maxBytes} bytes, found ${found}`,
    { data: { image, path, maxBytes, found } },
  );
}
