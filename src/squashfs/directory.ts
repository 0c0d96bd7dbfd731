import { type ByteString, fromBytes } from './byte-string.js';
import { type DirectoryInode, entryType, type InodeType } from './inode.js';
import { i16, u16, u32 } from './little-endian.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import { MetadataCursor } from './metadata-cursor.js';
import { type InodeReference, METADATA_BLOCK_BYTES, type Superblock } from './superblock.js';

/*
 * A directory's listing (squashfs-tools-ng doc/format.adoc, section 6) is a sequence of runs:
 *
 *   header: u32 number of entries less one   u32 inode block   u32 inode number
 *   entry:  u16 inode offset   i16 inode number, relative to the header's   u16 type   u16 name size less one   name
 *
 * Names stand in bytewise order. The index that large directories have beside it is not used here.
 */
const HEADER_BYTES = 12;
const ENTRY_BYTES = 8;
const MAX_RUN = 256;
const MAX_NAME_BYTES = 256;

/** An entry as it is stored. */
export interface StoredEntry {
  readonly name: ByteString;
  readonly type: InodeType;
  readonly inode: InodeReference;
  readonly inodeNumber: number;
}

/**
 * The entries of a directory, in bytewise order of their names. Holds one metadata block at a time, however many there
 * are.
 *
 * @throws FORMAT where the listing is damaged, unsorted, or has a name that is none.
 */
export async function* readDirectory(
  blocks: MetadataBlocks,
  superblock: Superblock,
  directory: DirectoryInode,
): AsyncGenerator<StoredEntry> {
  const cursor = new MetadataCursor(blocks, superblock.directoryTable, directory.listing);
  let previous = '';
  let remaining = directory.listingBytes;
  while (remaining > 0) {
    const header = parseHeader(cursor, await readWithin(cursor, HEADER_BYTES, remaining));
    remaining -= HEADER_BYTES;
    for (let i = 0; i < header.entries; i += 1) {
      const bytes = await readWithin(cursor, ENTRY_BYTES, remaining);
      const nameBytes = u16(bytes, 6) + 1;
      if (nameBytes > MAX_NAME_BYTES) throw cursor.damaged(`a name of at most ${MAX_NAME_BYTES} bytes`, `${nameBytes}`);
      const name = fromBytes(await readWithin(cursor, nameBytes, remaining - ENTRY_BYTES));
      remaining -= ENTRY_BYTES + nameBytes;
      checkName(cursor, name, previous);
      previous = name;
      yield { name, ...parseEntry(cursor, bytes, header) };
    }
  }
}

interface RunHeader {
  readonly entries: number;
  readonly inodeBlock: number;
  readonly inodeNumber: number;
}

async function readWithin(cursor: MetadataCursor, length: number, remaining: number): Promise<Uint8Array> {
  if (length > remaining) throw cursor.damaged(`${length} bytes of a listing`, `${remaining}`);
  return cursor.read(length);
}

function parseHeader(cursor: MetadataCursor, bytes: Uint8Array): RunHeader {
  const entries = u32(bytes, 0) + 1;
  if (entries > MAX_RUN) throw cursor.damaged(`at most ${MAX_RUN} entries after a header`, `${entries}`);
  return { entries, inodeBlock: u32(bytes, 4), inodeNumber: u32(bytes, 8) };
}

function parseEntry(cursor: MetadataCursor, bytes: Uint8Array, header: RunHeader): Omit<StoredEntry, 'name'> {
  const offsetInBlock = u16(bytes, 0);
  if (offsetInBlock >= METADATA_BLOCK_BYTES) {
    throw cursor.damaged(`an inode's offset below ${METADATA_BLOCK_BYTES}`, `${offsetInBlock}`);
  }
  const type = entryType(u16(bytes, 4));
  if (type === undefined) throw cursor.damaged('an entry of type 1 to 7', `${u16(bytes, 4)}`);
  return {
    type,
    inode: { blockOffset: header.inodeBlock, offsetInBlock },
    inodeNumber: (header.inodeNumber + i16(bytes, 2)) >>> 0,
  };
}

/** A name that steps out of its directory would be a trap for whoever unpacks it. */
function checkName(cursor: MetadataCursor, name: ByteString, previous: string): void {
  if (name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw cursor.damaged('a file name', JSON.stringify(name));
  }
  if (name <= previous) {
    throw cursor.damaged(`a name that sorts after ${JSON.stringify(previous)}`, JSON.stringify(name));
  }
}
