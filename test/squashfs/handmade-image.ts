const SUPERBLOCK_BYTES = 96;
const METADATA_BLOCK_BYTES = 8192;
const STORED = 0x8000;
const MAX_RUN = 256;
const FILE_INODE_BYTES = 32;

/**
 * A squashfs image without mksquashfs, by squashfs-tools-ng doc/format.adoc: a root folder of `names`, all of them the
 * same empty file. The names are written as they are, in the order in which they come.
 */
export function handmadeImage(names: readonly string[]): Buffer {
  const listing = Buffer.concat(runs(names));
  const inodes = metadataBlocks(Buffer.concat([fileInode(2), rootInode(1, listing.length)]));
  const directories = metadataBlocks(listing);
  const superblock = Buffer.alloc(SUPERBLOCK_BYTES);
  superblock.write('hsqs', 'latin1');
  superblock.writeUInt32LE(2, 4);
  superblock.writeUInt32LE(131_072, 12);
  superblock.writeUInt16LE(3, 20);
  superblock.writeUInt16LE(17, 22);
  superblock.writeUInt16LE(4, 28);
  superblock.writeBigUInt64LE(BigInt(FILE_INODE_BYTES), 32);
  superblock.writeBigUInt64LE(BigInt(SUPERBLOCK_BYTES + inodes.length + directories.length), 40);
  superblock.writeBigUInt64LE(BigInt(SUPERBLOCK_BYTES), 64);
  superblock.writeBigUInt64LE(BigInt(SUPERBLOCK_BYTES + inodes.length), 72);
  return Buffer.concat([superblock, inodes, directories]);
}

function fileInode(number: number): Buffer {
  const inode = Buffer.alloc(FILE_INODE_BYTES);
  inode.writeUInt16LE(2, 0);
  inode.writeUInt32LE(number, 12);
  inode.writeUInt32LE(0xffffffff, 20);
  return inode;
}

/** An extended one, because a basic one has 64 KiB of entries at most. */
function rootInode(number: number, listingBytes: number): Buffer {
  const inode = Buffer.alloc(40);
  inode.writeUInt16LE(8, 0);
  inode.writeUInt32LE(number, 12);
  inode.writeUInt32LE(listingBytes + 3, 20);
  return inode;
}

function runs(names: readonly string[]): Buffer[] {
  return names.flatMap((name, i) => {
    const bytes = Buffer.from(name);
    const entry = Buffer.alloc(8);
    entry.writeUInt16LE(2, 4);
    entry.writeUInt16LE(bytes.length - 1, 6);
    return i % MAX_RUN === 0 ? [runHeader(Math.min(MAX_RUN, names.length - i)), entry, bytes] : [entry, bytes];
  });
}

function runHeader(entries: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(entries - 1, 0);
  header.writeUInt32LE(2, 8);
  return header;
}

function metadataBlocks(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += METADATA_BLOCK_BYTES) {
    const block = bytes.subarray(at, at + METADATA_BLOCK_BYTES);
    const header = Buffer.alloc(2);
    header.writeUInt16LE(STORED | block.length);
    blocks.push(header, block);
  }
  return Buffer.concat(blocks);
}
