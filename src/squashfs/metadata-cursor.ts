import { damagedImage } from './damage.js';
import type { MetadataBlocks } from './metadata-blocks.js';
import type { Region } from './superblock.js';

/** A place in unpacked metadata: a block's place in the image, and an offset in the unpacked block. */
export interface MetadataPosition {
  readonly blockOffset: number;
  readonly offsetInBlock: number;
}

/**
 * Reads metadata in order, from block to block: records may cross their boundaries (squashfs-tools-ng doc/format.adoc,
 * section 2.2). Every block has content and lies behind the one before it, so that reading comes to an end.
 */
export class MetadataCursor {
  private readonly blocks: MetadataBlocks;
  private readonly region: Region;
  private blockOffset: number;
  private offsetInBlock: number;

  /** @param region Where the blocks of the table are. */
  constructor(blocks: MetadataBlocks, region: Region, start: MetadataPosition) {
    this.blocks = blocks;
    this.region = region;
    this.blockOffset = start.blockOffset;
    this.offsetInBlock = start.offsetInBlock;
  }

  get position(): MetadataPosition {
    return { blockOffset: this.blockOffset, offsetInBlock: this.offsetInBlock };
  }

  /**
   * The next `length` bytes, not to be changed.
   *
   * @throws FORMAT where the table ends before or a block is damaged.
   */
  async read(length: number): Promise<Uint8Array> {
    const first = await this.take(length);
    if (first.length === length) return first;
    const bytes = new Uint8Array(length);
    bytes.set(first);
    for (let done = first.length; done < length; ) {
      const part = await this.take(length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /**
   * At least one and at most `length` bytes, none where none are wanted: what the present block has. Not to be changed.
   *
   * @throws FORMAT as {@link read}.
   */
  async take(length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array(0);
    let block = await this.blocks.read(this.blockOffset, this.region);
    if (this.offsetInBlock > block.bytes.length) throw this.damaged('a place in the block', 'one behind its end');
    if (this.offsetInBlock === block.bytes.length) {
      this.blockOffset = block.nextOffset;
      this.offsetInBlock = 0;
      block = await this.blocks.read(this.blockOffset, this.region);
    }
    const part = block.bytes.subarray(this.offsetInBlock, this.offsetInBlock + length);
    this.offsetInBlock += part.length;
    return part;
  }

  /** The error for what stands at the present place. */
  damaged(expected: string, found: string): Error {
    const { file } = this.blocks.source;
    const inBlock = `${found} (in the metadata block there, before byte ${this.offsetInBlock})`;
    return damagedImage(file.name, this.blockOffset, expected, inBlock);
  }
}
