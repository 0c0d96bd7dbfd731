// Images as large as a school's, of what the corpus has.
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { makePairs } from './pairs.mjs';

/** What a large image is made of. */
const partNames = ['desktop-gzip', 'desktop-lzo', 'desktop-zstd', 'npm-ext4'];

/**
 * Squashfs images of the corpus one behind the other, and the ext4 of big binaries behind them: 4.4 GB each, made once.
 * @param {string} cache
 * @returns {import('./pairs.mjs').Pair}
 */
export function makeLargePair(cache) {
  const parts = makePairs(cache).filter(({ name }) => partNames.includes(name));
  const large = (/** @type {'base' | 'target'} */ side) => {
    const path = join(cache, 'pairs', side === 'base' ? 'large-old.img' : 'large-new.img');
    if (!existsSync(path)) {
      concatenate(
        parts.map((pair) => pair[side]),
        path,
      );
    }
    return path;
  };
  return { name: 'large', base: large('base'), target: large('target') };
}

/**
 * @param {readonly string[]} parts
 * @param {string} path a file that is there is whole
 */
function concatenate(parts, path) {
  const file = openSync(`${path}.tmp`, 'w');
  try {
    execFileSync('cat', parts, { stdio: ['ignore', file, 'inherit'] });
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.tmp`, path);
}
