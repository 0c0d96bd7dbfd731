import { type ByteString, fromBytes } from './byte-string.js';
import { type DirectoryInode, entryType, type InodeType } from './inode.js';
import { Listing } from './listing.js';
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
 * The entries of a directory in bytewise order of their names, one run of at most 256 after the other. Holds two metadata
 * blocks and a run at a time, however many there are.
 *
 * @throws FORMAT where the listing is damaged, unsorted, or has a name that is none.
 */
export async function* readDirectory(
  blocks: MetadataBlocks,
  superblock: Superblock,
  directory: DirectoryInode,
): AsyncGenerator<readonly StoredEntry[]> {
  const cursor = new MetadataCursor(blocks, superblock.directoryTable, directory.listing);
  const listing = new Listing(cursor, directory.listingBytes);
  let previous = '';
  while (!listing.ended) {
    await listing.fill(HEADER_BYTES);
    const header = parseHeader(cursor, listing.take(HEADER_BYTES));
    const run: StoredEntry[] = [];
    while (run.length < header.entries) {
      if (!listing.has(ENTRY_BYTES + MAX_NAME_BYTES)) await listing.fill(ENTRY_BYTES + MAX_NAME_BYTES);
      const entry = takeEntry(cursor, listing, header);
      if (entry.name <= previous) throw unsorted(cursor, previous, entry.name);
      run.push(entry);
      previous = entry.name;
    }
    yield run;
  }
}

interface RunHeader {
  readonly entries: number;
  readonly inodeBlock: number;
  readonly inodeNumber: number;
}

function parseHeader(cursor: MetadataCursor, bytes: Uint8Array): RunHeader {
  const entries = u32(bytes, 0) + 1;
  if (entries > MAX_RUN) throw cursor.damaged(`at most ${MAX_RUN} entries after a header`, `${entries}`);
  return { entries, inodeBlock: u32(bytes, 4), inodeNumber: u32(bytes, 8) };
}

function takeEntry(cursor: MetadataCursor, listing: Listing, header: RunHeader): StoredEntry {
  const bytes = listing.take(ENTRY_BYTES);
  const offsetInBlock = u16(bytes, 0);
  if (offsetInBlock >= METADATA_BLOCK_BYTES) {
    throw cursor.damaged(`an inode's offset below ${METADATA_BLOCK_BYTES}`, `${offsetInBlock}`);
  }
  const type = entryType(u16(bytes, 4));
  if (type === undefined) throw cursor.damaged('an entry of type 1 to 7', `${u16(bytes, 4)}`);
  const nameBytes = u16(bytes, 6) + 1;
  if (nameBytes > MAX_NAME_BYTES) throw cursor.damaged(`a name of at most ${MAX_NAME_BYTES} bytes`, `${nameBytes}`);
  const name = fromBytes(listing.take(nameBytes));
  if (!isFileName(name)) throw cursor.damaged('a file name', JSON.stringify(name));
  const inodeNumber = (header.inodeNumber + i16(bytes, 2)) >>> 0;
  return { name, type, inode: { blockOffset: header.inodeBlock, offsetInBlock }, inodeNumber };
}

/** A name that steps out of its directory would be a trap for whoever unpacks it. */
function isFileName(name: ByteString): boolean {
  return name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

function unsorted(cursor: MetadataCursor, previous: string, name: string): Error {
  return cursor.damaged(`a name that sorts after ${JSON.stringify(previous)}`, JSON.stringify(name));
}
