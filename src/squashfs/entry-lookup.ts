import type { ByteString } from './byte-string.js';
import { readDirectory, type StoredEntry } from './directory.js';
import type { DirectoryInode } from './inode.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import type { Superblock } from './superblock.js';

/** About 3 MiB. A larger directory is read anew for each of its entries. */
const MAX_REMEMBERED_ENTRIES = 20_000;

type Entries = ReadonlyMap<ByteString, StoredEntry>;

/** Finds directory entries by name, and remembers the directories that were used last, 20,000 entries in all. */
export class EntryLookup {
  private readonly blocks: MetadataBlocks;
  private readonly superblock: Superblock;
  /** By the place of the listing, which is a directory's own. */
  private readonly cache = new Map<string, Entries>();
  private remembered = 0;

  constructor(blocks: MetadataBlocks, superblock: Superblock) {
    this.blocks = blocks;
    this.superblock = superblock;
  }

  /**
   * The entry `name` of a directory, undefined where it has none.
   *
   * @throws FORMAT where the listing is damaged.
   */
  async find(directory: DirectoryInode, name: ByteString): Promise<StoredEntry | undefined> {
    const { blockOffset, offsetInBlock } = directory.listing;
    const key = `${blockOffset}/${offsetInBlock}/${directory.listingBytes}`;
    const known = this.cache.get(key);
    if (known === undefined) return this.load(directory, key, name);
    this.cache.delete(key);
    this.cache.set(key, known);
    return known.get(name);
  }

  private async load(directory: DirectoryInode, key: string, name: ByteString): Promise<StoredEntry | undefined> {
    const entries = new Map<ByteString, StoredEntry>();
    let found: StoredEntry | undefined;
    let count = 0;
    for await (const run of readDirectory(this.blocks, this.superblock, directory)) {
      count += run.length;
      found ??= run.find((entry) => entry.name === name);
      if (count <= MAX_REMEMBERED_ENTRIES) for (const entry of run) entries.set(entry.name, entry);
      else if (found !== undefined) return found;
    }
    if (count <= MAX_REMEMBERED_ENTRIES) this.remember(key, entries);
    return found;
  }

  private remember(key: string, entries: Entries): void {
    if (this.cache.has(key)) return;
    this.cache.set(key, entries);
    this.remembered += weight(entries);
    for (const [oldest, forgotten] of this.cache) {
      if (this.remembered <= MAX_REMEMBERED_ENTRIES) return;
      this.cache.delete(oldest);
      this.remembered -= weight(forgotten);
    }
  }
}

/** An empty directory takes a place as well. */
function weight(entries: Entries): number {
  return entries.size + 1;
}
