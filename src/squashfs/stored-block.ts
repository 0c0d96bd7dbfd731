import { UpdateRepositoryError } from '../errors.js';
import type { Decompress } from './codecs.js';
import { damagedImage } from './damage.js';
import type { RandomAccessFile } from './random-access-file.js';
import type { CompressorName } from './superblock.js';

/** Where blocks are read from, and how they are unpacked. */
export interface BlockSource {
  readonly file: RandomAccessFile;
  readonly compressor: CompressorName;
  readonly decompress: Decompress;
}

/**
 * Unpacks the bytes of a compressed block.
 *
 * @param offset Where in the image the block is, for the message.
 * @param maxBytes What a block of its kind may hold.
 * @throws FORMAT naming the image and the block's place.
 */
export async function unpackBlock(
  source: BlockSource,
  offset: number,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  try {
    return await source.decompress(bytes, maxBytes);
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
    throw damagedImage(source.file.name, offset, `a block packed with ${source.compressor}`, error.message, error);
  }
}
