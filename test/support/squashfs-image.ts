import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The compressors of mksquashfs, and `none` for blocks that are stored as they are. */
export type Compressor = 'gzip' | 'lzo' | 'xz' | 'lz4' | 'zstd' | 'none';

/**
 * Packs the folder `tree` into the squashfs image `image` with the tool mksquashfs. The bytes depend on the files and
 * the compressor alone: owners, modes, times and the number of processors are fixed, extended attributes left out.
 */
export async function makeSquashfsImage(tree: string, image: string, compressor: Compressor): Promise<void> {
  const fixed = ['-noappend', '-no-progress', '-quiet', '-no-xattrs', '-all-root', '-processors', '1'];
  const times = ['-mkfs-time', '1704088800', '-all-time', '1704088800'];
  const modes = ['-action', 'chmod(0755)@type(d)', '-action', 'chmod(0644)@type(f)'];
  const compression = compressor === 'none' ? ['-noI', '-noD', '-noF', '-noX'] : ['-comp', compressor];
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env; // it may not stand beside -mkfs-time
  await run('mksquashfs', [tree, image, ...fixed, ...times, ...modes, ...compression], { env });
}
