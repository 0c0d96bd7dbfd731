import { damagedImage } from './damage.js';
import { isHole, parseDataBlock, readDataBlock } from './data-block.js';
import { u32, u64 } from './little-endian.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import { MetadataCursor } from './metadata-cursor.js';
import { readPart } from './random-access-file.js';
import { METADATA_BLOCK_BYTES, SUPERBLOCK_BYTES, type Superblock } from './superblock.js';

/*
 * Fragment table (squashfs-tools-ng doc/format.adoc, sections 2.3 and 7): a list of u64, the places of metadata blocks,
 * which hold 512 entries each:
 *
 *   u64 start of the fragment block   u32 size word, as of a data block   u32 unused
 */
const POINTER_BYTES = 8;
const ENTRY_BYTES = 16;
const ENTRIES_PER_BLOCK = METADATA_BLOCK_BYTES / ENTRY_BYTES;
const CACHED_BLOCKS = 3;

/**
 * Reads fragment blocks, which hold the ends of many files each, and keeps the last three: at most three of the image's
 * block size.
 */
export class Fragments {
  private readonly blocks: MetadataBlocks;
  private readonly superblock: Superblock;
  private readonly cache = new Map<number, Uint8Array>();

  constructor(blocks: MetadataBlocks, superblock: Superblock) {
    this.blocks = blocks;
    this.superblock = superblock;
  }

  /**
   * The unpacked block `index`, not to be changed.
   *
   * @throws FORMAT where there is none or it is damaged.
   */
  async read(index: number): Promise<Uint8Array> {
    const block = this.cache.get(index) ?? (await this.load(index));
    this.cache.delete(index);
    this.cache.set(index, block);
    const oldest = this.cache.keys().next();
    if (this.cache.size > CACHED_BLOCKS && oldest.done === false) this.cache.delete(oldest.value);
    return block;
  }

  private async load(index: number): Promise<Uint8Array> {
    const { source } = this.blocks;
    const { blockSizeBytes, data } = this.superblock;
    const entry = await this.readEntry(index);
    const limits = { region: data, blockSizeBytes };
    const block = parseDataBlock(source.file.name, u32(entry, 8), u64(entry, 0), limits);
    if (!isHole(block)) return readDataBlock(source, block, blockSizeBytes);
    throw damagedImage(source.file.name, block.offset, `fragment block ${index}`, 'a hole');
  }

  private async readEntry(index: number): Promise<Uint8Array> {
    const { file } = this.blocks.source;
    const { fragmentCount, fragmentTableBytes } = this.superblock;
    if (index >= fragmentCount) {
      const found = `number ${index} in an inode`;
      throw damagedImage(file.name, fragmentTableBytes, `one of ${fragmentCount} fragment blocks`, found);
    }
    const pointerAt = fragmentTableBytes + POINTER_BYTES * Math.floor(index / ENTRIES_PER_BLOCK);
    const pointer = await readPart(file, pointerAt, POINTER_BYTES, 'a place in the fragment table');
    const region = { startBytes: SUPERBLOCK_BYTES, endBytes: fragmentTableBytes };
    const offsetInBlock = ENTRY_BYTES * (index % ENTRIES_PER_BLOCK);
    const cursor = new MetadataCursor(this.blocks, region, { blockOffset: u64(pointer, 0), offsetInBlock });
    return cursor.read(ENTRY_BYTES);
  }
}
