import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { basename } from 'node:path';
import { corpusEpochSeconds } from './tree.mjs';

/**
 * Makes a squashfs image of `tree` as a distribution does: root owns everything, blocks of 128 KiB, the compressor's
 * own defaults. The same tree gives the same bytes.
 * @param {string} tree
 * @param {string} path
 * @param {'gzip' | 'lzo' | 'xz' | 'zstd'} compressor
 */
export function writeSquashfs(tree, path, compressor) {
  console.error(`making ${basename(path)}`);
  const options = ['-noappend', '-no-progress', '-quiet', '-all-root', '-no-xattrs', '-comp', compressor];
  execFileSync('mksquashfs', [tree, `${path}.tmp`, ...options, '-mkfs-time', String(corpusEpochSeconds)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(`${path}.tmp`, path);
}
