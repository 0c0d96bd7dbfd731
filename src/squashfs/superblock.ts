import { damagedImage } from './damage.js';
import { u16, u32, u64 } from './little-endian.js';

/*
 * Squashfs 4.0 superblock, 96 bytes (squashfs-tools-ng doc/format.adoc, section 3; Linux
 * Documentation/filesystems/squashfs.rst, section 3):
 *
 *    0 u32 magic "hsqs"      20 u16 compressor   32 u64 root inode       64 u64 inode table
 *    4 u32 inode count       22 u16 log2 block   40 u64 bytes used       72 u64 directory table
 *    8 u32 time, seconds     24 u16 flags        48 u64 id table         80 u64 fragment table
 *   12 u32 block size        26 u16 id count     56 u64 xattr table      88 u64 export table
 *   16 u32 fragment count    28 u16 major  30 u16 minor
 */
export const SUPERBLOCK_BYTES = 96;
/** Bytes of a metadata block when it is unpacked (section 2.2). */
export const METADATA_BLOCK_BYTES = 8192;
const MAGIC = 0x73717368;
const MIN_BLOCK_LOG = 12;
const MAX_BLOCK_LOG = 20;
const COMPRESSORS = [undefined, 'gzip', 'lzma', 'lzo', 'xz', 'lz4', 'zstd'] as const;

/** The compressors that the format knows; an image uses one of them throughout. */
export type CompressorName = Exclude<(typeof COMPRESSORS)[number], undefined>;

/** Bytes of the image file from `startBytes` up to `endBytes`. */
export interface Region {
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Where an inode is: the metadata block's place in the inode table, and the inode's place in the unpacked block. */
export interface InodeReference {
  readonly blockOffset: number;
  readonly offsetInBlock: number;
}

/** A checked superblock: all regions are inside the file, in order, and not empty. */
export interface Superblock {
  readonly compressor: CompressorName;
  readonly blockSizeBytes: number;
  readonly bytesUsed: number;
  readonly inodeCount: number;
  readonly createdAtSeconds: number;
  readonly versionMajor: number;
  readonly versionMinor: number;
  readonly rootInode: InodeReference;
  /** Where file data may be. */
  readonly data: Region;
  readonly inodeTable: Region;
  readonly directoryTable: Region;
  readonly fragmentCount: number;
  /** Where the list of the fragment table's metadata blocks starts; of no meaning without fragments. */
  readonly fragmentTableBytes: number;
}

/**
 * Parses and checks the first 96 bytes of an image.
 *
 * @param image The image's name, for messages.
 * @param bytes The image's first bytes, fewer than 96 where the image is shorter.
 * @param sizeBytes The size of the whole image file.
 * @throws FORMAT where this is no squashfs 4.0 image, or a damaged or truncated one.
 */
export function parseSuperblock(image: string, bytes: Uint8Array, sizeBytes: number): Superblock {
  if (bytes.length < SUPERBLOCK_BYTES) {
    throw damagedImage(image, 0, `a superblock of ${SUPERBLOCK_BYTES} bytes`, `a truncated image of ${sizeBytes}`);
  }
  const check = (good: boolean, at: number, expected: string, found: string | number): void => {
    if (!good) throw damagedImage(image, at, expected, String(found));
  };
  checkIdentity(bytes, check);
  const bytesUsed = u64(bytes, 40);
  check(bytesUsed <= sizeBytes, 40, `an image of ${bytesUsed} bytes`, `a truncated one of ${sizeBytes} bytes`);
  const compressor = COMPRESSORS[u16(bytes, 20)];
  if (compressor === undefined) throw damagedImage(image, 20, 'a compressor from 1 to 6', String(u16(bytes, 20)));
  return {
    compressor,
    blockSizeBytes: parseBlockSize(bytes, check),
    bytesUsed,
    inodeCount: u32(bytes, 4),
    createdAtSeconds: u32(bytes, 8),
    versionMajor: u16(bytes, 28),
    versionMinor: u16(bytes, 30),
    ...parseTables(bytes, bytesUsed, check),
  };
}

type Check = (good: boolean, at: number, expected: string, found: string | number) => void;

function checkIdentity(bytes: Uint8Array, check: Check): void {
  check(u32(bytes, 0) === MAGIC, 0, 'the squashfs magic "hsqs"', `0x${u32(bytes, 0).toString(16)}`);
  const version = `${u16(bytes, 28)}.${u16(bytes, 30)}`;
  check(version === '4.0', 28, 'version 4.0', version);
  check(u32(bytes, 4) > 0, 4, 'at least one inode', 'none');
}

function parseBlockSize(bytes: Uint8Array, check: Check): number {
  const log = u16(bytes, 22);
  check(log >= MIN_BLOCK_LOG && log <= MAX_BLOCK_LOG, 22, 'a block size of 2^12 to 2^20', `2^${log}`);
  check(u32(bytes, 12) === 2 ** log, 12, `the block size 2^${log}`, u32(bytes, 12));
  return 2 ** log;
}

type Tables = Pick<
  Superblock,
  'rootInode' | 'data' | 'inodeTable' | 'directoryTable' | 'fragmentCount' | 'fragmentTableBytes'
>;

/** The tables stand in the order of section 2 ("most implementations insist on this exact order"). */
function parseTables(bytes: Uint8Array, bytesUsed: number, check: Check): Tables {
  const inodes = u64(bytes, 64);
  const directories = u64(bytes, 72);
  const fragmentCount = u32(bytes, 16);
  const fragments = u64(bytes, 80);
  check(inodes >= SUPERBLOCK_BYTES && inodes < bytesUsed, 64, `an inode table before byte ${bytesUsed}`, inodes);
  check(directories > inodes && directories < bytesUsed, 72, 'a directory table after the inode table', directories);
  if (fragmentCount > 0) {
    check(fragments > directories && fragments < bytesUsed, 80, 'a fragment table after the directories', fragments);
  }
  return {
    rootInode: parseRootInode(bytes, directories - inodes, check),
    data: { startBytes: SUPERBLOCK_BYTES, endBytes: inodes },
    inodeTable: { startBytes: inodes, endBytes: directories },
    directoryTable: { startBytes: directories, endBytes: fragmentCount > 0 ? fragments : bytesUsed },
    fragmentCount,
    fragmentTableBytes: fragments,
  };
}

function parseRootInode(bytes: Uint8Array, inodeTableBytes: number, check: Check): InodeReference {
  const blockOffset = u16(bytes, 38) * 2 ** 32 + u32(bytes, 34);
  const offsetInBlock = u16(bytes, 32);
  check(blockOffset < inodeTableBytes, 32, `a root inode in a table of ${inodeTableBytes} bytes`, blockOffset);
  check(offsetInBlock < METADATA_BLOCK_BYTES, 32, `an offset below ${METADATA_BLOCK_BYTES}`, offsetInBlock);
  return { blockOffset, offsetInBlock };
}
