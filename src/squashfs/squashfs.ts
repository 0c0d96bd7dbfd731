import { UpdateRepositoryError } from '../errors.js';
import { toText } from './byte-string.js';
import { CODECS } from './codecs.js';
import { readDirectory } from './directory.js';
import { EntryLookup } from './entry-lookup.js';
import { readFileData } from './file-data.js';
import { Fragments } from './fragments.js';
import type { Inode, InodeType } from './inode.js';
import { MetadataBlocks } from './metadata-blocks.js';
import { findInode } from './path-walk.js';
import type { RandomAccessFile } from './random-access-file.js';
import { type CompressorName, parseSuperblock, SUPERBLOCK_BYTES, type Superblock } from './superblock.js';
import type { Volume } from './volume.js';

/** More than any directory of an operating system has; about 30 MiB as a list. */
const MAX_ENTRIES = 250_000;

/** What an image says about itself. */
export interface SquashfsInfo {
  readonly compressor: CompressorName;
  readonly blockSizeBytes: number;
  /** Bytes of the file system; the image file may go on with padding. */
  readonly bytesUsed: number;
  readonly inodeCount: number;
  readonly createdAtSeconds: number;
  readonly versionMajor: number;
  readonly versionMinor: number;
}

export type FileType = InodeType;

export interface DirectoryEntry {
  /** Bytes of the name that are no UTF-8 are U+FFFD here; such a file cannot be read by its path. */
  readonly name: string;
  readonly type: FileType;
}

export interface FileStatus {
  readonly type: FileType;
  /** Of a file; 0 for all else. */
  readonly sizeBytes: number;
  /** The twelve permission bits. */
  readonly mode: number;
  readonly modifiedAtSeconds: number;
}

/**
 * A squashfs image that can be read. Paths are absolute POSIX paths inside the image; symbolic links are followed and
 * never lead out of it. Every call may throw FORMAT with the place of the damage, NOT_FOUND where there is nothing at the
 * path, and IO.
 */
export interface Squashfs {
  /** The image's name, for messages. */
  readonly name: string;
  readonly info: SquashfsInfo;
  /** The directory's entries, sorted bytewise; FORMAT where it is none or has more than 250,000. */
  list(path: string): Promise<DirectoryEntry[]>;
  /** The file's bytes; FORMAT where it is no regular file or has more than `maxBytes`. */
  readFile(path: string, limits: { readonly maxBytes: number }): Promise<Uint8Array>;
  /** The target of the symbolic link at `path`, as it stands there; FORMAT where it is none. */
  readLink(path: string): Promise<string>;
  /** What is at `path`; does not follow the last component. */
  stat(path: string): Promise<FileStatus>;
}

/**
 * Opens a squashfs 4.0 image without mounting it; needs no root. The image is not trusted: what it says is checked
 * before it is used. Reads what is asked for and keeps little of it: 256 KiB of metadata, 20,000 directory entries (3 MiB), three fragment blocks of at
 * most 1 MiB, and what a call returns.
 *
 * @throws FORMAT where `file` is no squashfs image, a truncated one, or one packed with lzma.
 */
export async function openSquashfs(file: RandomAccessFile): Promise<Squashfs> {
  const start = await file.read(0, Math.min(SUPERBLOCK_BYTES, file.sizeBytes));
  const superblock = parseSuperblock(file.name, start, file.sizeBytes);
  const volume = openVolume(file, superblock);
  return {
    name: file.name,
    info: describe(superblock),
    list: (path) => list(volume, path),
    readFile: (path, { maxBytes }) => readFile(volume, path, maxBytes),
    readLink: (path) => readLink(volume, path),
    stat: (path) => stat(volume, path),
  };
}

function openVolume(file: RandomAccessFile, superblock: Superblock): Volume {
  const { compressor } = superblock;
  const decompress = CODECS[compressor];
  if (decompress === null) {
    const message = `${file.name}: expected an image packed with gzip, lzo, xz, lz4 or zstd, found ${compressor}`;
    throw new UpdateRepositoryError('FORMAT', message, { data: { image: file.name, compressor } });
  }
  const source = { file, compressor, decompress };
  const blocks = new MetadataBlocks(source);
  const entries = new EntryLookup(blocks, superblock);
  return { source, superblock, blocks, entries, fragments: new Fragments(blocks, superblock) };
}

function describe(superblock: Superblock): SquashfsInfo {
  const { compressor, blockSizeBytes, bytesUsed, inodeCount, createdAtSeconds, versionMajor, versionMinor } =
    superblock;
  return { compressor, blockSizeBytes, bytesUsed, inodeCount, createdAtSeconds, versionMajor, versionMinor };
}

async function list(volume: Volume, path: string): Promise<DirectoryEntry[]> {
  const inode = await findInode(volume, path, true);
  if (inode.type !== 'directory') throw wrongType(volume, path, 'a directory', inode);
  const entries: DirectoryEntry[] = [];
  for await (const run of readDirectory(volume.blocks, volume.superblock, inode)) {
    if (entries.length + run.length > MAX_ENTRIES) throw tooManyEntries(volume, path);
    entries.push(...run.map(({ name, type }) => ({ name: toText(name), type })));
  }
  return entries;
}

async function readFile(volume: Volume, path: string, maxBytes: number): Promise<Uint8Array> {
  const inode = await findInode(volume, path, true);
  if (inode.type !== 'file') throw wrongType(volume, path, 'a regular file', inode);
  return readFileData(volume, inode, path, maxBytes);
}

async function readLink(volume: Volume, path: string): Promise<string> {
  const inode = await findInode(volume, path, false);
  if (inode.type !== 'symlink') throw wrongType(volume, path, 'a symbolic link', inode);
  return toText(inode.target);
}

async function stat(volume: Volume, path: string): Promise<FileStatus> {
  const inode = await findInode(volume, path, false);
  const { type, mode, modifiedAtSeconds } = inode;
  return { type, mode, modifiedAtSeconds, sizeBytes: inode.type === 'file' ? inode.sizeBytes : 0 };
}

function wrongType(volume: Volume, path: string, expected: string, { type }: Inode): UpdateRepositoryError {
  const image = volume.source.file.name;
  return new UpdateRepositoryError(
    'FORMAT',
    `${image}: expected ${JSON.stringify(path)} to be ${expected}, found a ${type}`,
    { data: { image, path, type } },
  );
}

function tooManyEntries(volume: Volume, path: string): UpdateRepositoryError {
  const image = volume.source.file.name;
  const message = `${image}: expected ${JSON.stringify(path)} to have at most ${MAX_ENTRIES} entries, found more`;
  return new UpdateRepositoryError('FORMAT', message, { data: { image, path } });
}
