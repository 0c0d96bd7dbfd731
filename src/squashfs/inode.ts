import { type ByteString, fromBytes } from './byte-string.js';
import { u16, u32, u64 } from './little-endian.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import { MetadataCursor, type MetadataPosition } from './metadata-cursor.js';
import { type InodeReference, METADATA_BLOCK_BYTES, type Superblock } from './superblock.js';

/*
 * Inodes (squashfs-tools-ng doc/format.adoc, section 5). All start with the same 16 bytes:
 *
 *   0 u16 type   2 u16 permissions   4 u16 uid index   6 u16 gid index   8 u32 mtime   12 u32 inode number
 *
 * and go on, by type:
 *
 *   1 directory            u32 block, u32 links, u16 listing size, u16 offset, u32 parent
 *   8 extended directory   u32 links, u32 listing size, u32 block, u32 parent, u16 index count, u16 offset, u32 xattrs
 *   2 file                 u32 start, u32 fragment, u32 offset, u32 size; block sizes
 *   9 extended file        u64 start, u64 size, u64 sparse, u32 links, u32 fragment, u32 offset, u32 xattrs; block sizes
 *   3, 10 symbolic link    u32 links, u32 target size; target; [u32 xattrs]
 *   4 to 7, 11 to 14       devices, FIFOs and sockets, of which no more is read here
 */
const HEADER_BYTES = 16;
const NO_FRAGMENT = 0xffffffff;
/** A listing's size counts 3 bytes for the entries "." and "..", which are not stored. */
const DOT_ENTRIES_BYTES = 3;
/** Linux mounts no longer target than a page (fs/squashfs/inode.c). */
const MAX_TARGET_BYTES = 4096;
const TYPES = [
  undefined,
  'directory',
  'file',
  'symlink',
  'block-device',
  'character-device',
  'fifo',
  'socket',
] as const;
const BASIC_TYPES = TYPES.length - 1;

/** What an inode is; basic and extended forms of a type are one. */
export type InodeType = Exclude<(typeof TYPES)[number], undefined>;

interface InodeHeader {
  readonly inodeNumber: number;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly modifiedAtSeconds: number;
}

export interface DirectoryInode extends InodeHeader {
  readonly type: 'directory';
  /** Where the listing starts, in the image. */
  readonly listing: MetadataPosition;
  readonly listingBytes: number;
}

export interface FileInode extends InodeHeader {
  readonly type: 'file';
  readonly sizeBytes: number;
  /** Where the first data block is, in the image. */
  readonly dataOffset: number;
  /** The fragment that holds the file's end, null where that has a block of its own. */
  readonly fragment: { readonly index: number; readonly offsetBytes: number } | null;
  /** Where the list of block sizes starts, one u32 for each block. */
  readonly blockSizes: MetadataPosition;
}

export interface SymlinkInode extends InodeHeader {
  readonly type: 'symlink';
  readonly target: ByteString;
}

export interface SpecialInode extends InodeHeader {
  readonly type: Exclude<InodeType, 'directory' | 'file' | 'symlink'>;
}

export type Inode = DirectoryInode | FileInode | SymlinkInode | SpecialInode;

/** The type of a directory entry, which is always the basic one. */
export function entryType(value: number): InodeType | undefined {
  return TYPES[value];
}

/**
 * Reads the inode at `reference`.
 *
 * @throws FORMAT where there is none or it is damaged.
 */
export async function readInode(
  blocks: MetadataBlocks,
  superblock: Superblock,
  reference: InodeReference,
): Promise<Inode> {
  const { startBytes } = superblock.inodeTable;
  const start = { blockOffset: startBytes + reference.blockOffset, offsetInBlock: reference.offsetInBlock };
  const cursor = new MetadataCursor(blocks, superblock.inodeTable, start);
  const bytes = await cursor.read(HEADER_BYTES);
  const value = u16(bytes, 0);
  const extended = value > BASIC_TYPES;
  const type = TYPES[extended ? value - BASIC_TYPES : value];
  if (type === undefined) throw cursor.damaged('an inode of type 1 to 14', `${value}`);
  const header = {
    mode: u16(bytes, 2) & 0o7777,
    modifiedAtSeconds: u32(bytes, 8),
    inodeNumber: u32(bytes, 12),
  };
  if (header.inodeNumber === 0) throw cursor.damaged('an inode number above 0', '0');
  switch (type) {
    case 'directory':
      return { type, ...header, ...(await readDirectory(cursor, extended, superblock)) };
    case 'file':
      return { type, ...header, ...(await readFile(cursor, extended)) };
    case 'symlink':
      return { type, ...header, target: await readTarget(cursor) };
    default:
      return { type, ...header };
  }
}

async function readDirectory(
  cursor: MetadataCursor,
  extended: boolean,
  superblock: Superblock,
): Promise<Pick<DirectoryInode, 'listing' | 'listingBytes'>> {
  const bytes = await cursor.read(extended ? 24 : 16);
  const blockOffset = u32(bytes, extended ? 8 : 0);
  const sizeBytes = extended ? u32(bytes, 4) : u16(bytes, 8);
  const offsetInBlock = u16(bytes, extended ? 18 : 10);
  if (offsetInBlock >= METADATA_BLOCK_BYTES) {
    throw cursor.damaged(`a listing's offset below ${METADATA_BLOCK_BYTES}`, `${offsetInBlock}`);
  }
  return {
    listing: { blockOffset: superblock.directoryTable.startBytes + blockOffset, offsetInBlock },
    listingBytes: Math.max(0, sizeBytes - DOT_ENTRIES_BYTES),
  };
}

async function readFile(
  cursor: MetadataCursor,
  extended: boolean,
): Promise<Pick<FileInode, 'sizeBytes' | 'dataOffset' | 'fragment' | 'blockSizes'>> {
  const bytes = await cursor.read(extended ? 40 : 16);
  const fragmentIndex = u32(bytes, extended ? 28 : 4);
  const offsetBytes = u32(bytes, extended ? 32 : 8);
  return {
    sizeBytes: extended ? u64(bytes, 8) : u32(bytes, 12),
    dataOffset: extended ? u64(bytes, 0) : u32(bytes, 0),
    fragment: fragmentIndex === NO_FRAGMENT ? null : { index: fragmentIndex, offsetBytes },
    blockSizes: cursor.position,
  };
}

async function readTarget(cursor: MetadataCursor): Promise<ByteString> {
  const sizeBytes = u32(await cursor.read(8), 4);
  if (sizeBytes < 1 || sizeBytes > MAX_TARGET_BYTES) {
    throw cursor.damaged(`a link target of 1 to ${MAX_TARGET_BYTES} bytes`, `${sizeBytes}`);
  }
  return fromBytes(await cursor.read(sizeBytes));
}
