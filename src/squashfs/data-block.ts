import { damagedImage } from './damage.js';
import { readPart } from './random-access-file.js';
import { type BlockSource, unpackBlock } from './stored-block.js';
import type { Region } from './superblock.js';

/*
 * A data block's size word (squashfs-tools-ng doc/format.adoc, section 4): the low 24 bits are the bytes that it takes
 * in the image, bit 24 is set where it is stored as it is, the rest is 0. A word of 0 is a block of zeros.
 */
const SIZE_MASK = 0xffffff;
const STORED = 0x1000000;

/** A data or fragment block in the image. */
export interface DataBlock {
  readonly offset: number;
  readonly sizeBytes: number;
  /** Whether it is stored as it is. */
  readonly stored: boolean;
}

/** Whether a block is one of zeros. */
export function isHole(block: DataBlock): boolean {
  return block.sizeBytes === 0 && !block.stored;
}

/** What a data block must fit into. */
export interface DataLimits {
  /** Where data may be in the image. */
  readonly region: Region;
  readonly blockSizeBytes: number;
}

/**
 * Checks a size word for the block at `offset`.
 *
 * @throws FORMAT where the block is larger than the image's block size or not inside the data.
 */
export function parseDataBlock(image: string, word: number, offset: number, limits: DataLimits): DataBlock {
  const sizeBytes = word & SIZE_MASK;
  const { region, blockSizeBytes } = limits;
  if (word >= 2 * STORED || sizeBytes > blockSizeBytes) {
    throw damagedImage(image, offset, `a data block of at most ${blockSizeBytes} bytes`, `0x${word.toString(16)}`);
  }
  // A block that takes no bytes may be anywhere.
  if (sizeBytes > 0 && (offset < region.startBytes || offset + sizeBytes > region.endBytes)) {
    const expected = `data between byte ${region.startBytes} and ${region.endBytes}`;
    throw damagedImage(image, offset, expected, `a block of ${sizeBytes} bytes`);
  }
  return { offset, sizeBytes, stored: (word & STORED) !== 0 };
}

/**
 * Reads and unpacks a block that is no hole.
 *
 * @param maxBytes What it may hold unpacked.
 */
export async function readDataBlock(source: BlockSource, block: DataBlock, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readPart(source.file, block.offset, block.sizeBytes, 'a data block');
  if (!block.stored) return unpackBlock(source, block.offset, bytes, maxBytes);
  if (bytes.length <= maxBytes) return bytes;
  throw damagedImage(source.file.name, block.offset, `a block of at most ${maxBytes} bytes`, `${bytes.length}`);
}
