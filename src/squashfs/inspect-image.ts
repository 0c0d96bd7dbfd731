import type { ImageInspection, SquashfsFacts } from '../inspection.js';
import { CODECS } from './codecs.js';
import { detectImageKind } from './kind.js';
import { readPuavoIdentity } from './puavo-image.js';
import type { RandomAccessFile } from './random-access-file.js';
import { openSquashfs } from './squashfs.js';
import { parseSuperblock, SUPERBLOCK_BYTES } from './superblock.js';

/**
 * What an image is and says about itself; null where its bytes are of no kind that is known.
 *
 * @throws FORMAT for a damaged squashfs image, IO
 */
export async function inspectImage(file: RandomAccessFile): Promise<ImageInspection | null> {
  const format = await detectImageKind(file);
  if (format === 'raw') return null;
  if (format !== 'squashfs') return { kind: 'image', format, squashfs: null, puavo: null };
  const superblock = parseSuperblock(
    file.name,
    await file.read(0, Math.min(SUPERBLOCK_BYTES, file.sizeBytes)),
    file.sizeBytes,
  );
  const { compressor, blockSizeBytes, bytesUsed, inodeCount, createdAtSeconds } = superblock;
  const squashfs: SquashfsFacts = {
    compressor,
    blockBytes: blockSizeBytes,
    usedBytes: bytesUsed,
    inodes: inodeCount,
    createdAt: new Date(createdAtSeconds * 1000).toISOString(),
  };
  const isReadable = CODECS[compressor] !== null;
  const puavo = isReadable ? await readPuavoIdentity(await openSquashfs(file)) : null;
  return { kind: 'image', format, squashfs, puavo };
}
