import { damagedImage } from './damage.js';
import { u16 } from './little-endian.js';
import { readPart } from './random-access-file.js';
import { type BlockSource, unpackBlock } from './stored-block.js';
import { METADATA_BLOCK_BYTES, type Region } from './superblock.js';

/*
 * Metadata block (squashfs-tools-ng doc/format.adoc, section 2.2):
 *
 *   u16 header: bit 15 set where the block is stored as it is, the other bits its size; then the block
 */
const HEADER_BYTES = 2;
const STORED = 0x8000;
/** 256 KiB: the inodes and listings along a path, and those of the directories round it. */
const CACHED_BLOCKS = 32;

/** An unpacked metadata block, 1 to 8192 bytes, and where the next one starts. */
export interface MetadataBlock {
  readonly bytes: Uint8Array;
  readonly nextOffset: number;
}

/** Reads metadata blocks of an image and keeps the last ones that were used, 256 KiB at most. */
export class MetadataBlocks {
  readonly source: BlockSource;
  private readonly cache = new Map<number, MetadataBlock>();

  constructor(source: BlockSource) {
    this.source = source;
  }

  /**
   * The block at byte `offset` of the image, which must be inside `region`.
   *
   * @throws FORMAT where it is not, or is damaged or empty.
   */
  async read(offset: number, region: Region): Promise<MetadataBlock> {
    if (offset < region.startBytes || offset + HEADER_BYTES >= region.endBytes) {
      const expected = `a metadata block between byte ${region.startBytes} and ${region.endBytes}`;
      throw damagedImage(this.source.file.name, offset, expected, 'none there');
    }
    const block = this.cache.get(offset) ?? (await this.load(offset, region));
    this.remember(offset, block);
    return block;
  }

  private async load(offset: number, region: Region): Promise<MetadataBlock> {
    const { file } = this.source;
    const header = u16(await readPart(file, offset, HEADER_BYTES, 'the header of a metadata block'), 0);
    const sizeBytes = header & ~STORED;
    const most = Math.min(METADATA_BLOCK_BYTES, region.endBytes - offset - HEADER_BYTES);
    if (sizeBytes < 1 || sizeBytes > most) {
      throw damagedImage(file.name, offset, `a metadata block of 1 to ${most} bytes`, `${sizeBytes}`);
    }
    const start = offset + HEADER_BYTES;
    const stored = await readPart(file, start, sizeBytes, 'a metadata block');
    const isStored = (header & STORED) !== 0;
    const bytes = isStored ? stored : await unpackBlock(this.source, start, stored, METADATA_BLOCK_BYTES);
    if (bytes.length === 0) throw damagedImage(file.name, start, 'a metadata block with content', 'an empty one');
    return { bytes, nextOffset: start + sizeBytes };
  }

  private remember(offset: number, block: MetadataBlock): void {
    this.cache.delete(offset);
    this.cache.set(offset, block);
    if (this.cache.size <= CACHED_BLOCKS) return;
    for (const oldest of this.cache.keys()) {
      this.cache.delete(oldest);
      return;
    }
  }
}
