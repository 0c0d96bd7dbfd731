import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { freemem } from 'node:os';

const PIECE_BYTES = 2 ** 30;
const TOUCH = `
  const kept = [];
  for (let left = Number(process.argv[1]); left > 0; left -= ${PIECE_BYTES}) {
    kept.push(Buffer.alloc(Math.min(left, ${PIECE_BYTES}), 1));
  }
`;

/**
 * Waits until the disk has what was written before. Then has a process take `times` as much memory as `file` has bytes, write
 * to it and end, so that whoever comes next gets memory that was used a moment ago. What lies free for seconds a virtual
 * machine gives back to its host; the first to write then waits until it has it again, which took as long as the writing.
 * The kernel need not hand out the very pages that became free: once as much is enough for what takes little, for what
 * writes the whole file four times.
 * @param {string} file
 * @param {number} times
 */
export function freeMemoryFor(file, times) {
  const bytes = Math.min(times * statSync(file).size, Math.floor(freemem() / 2));
  execFileSync('sync');
  execFileSync(process.execPath, ['-e', TOUCH, String(bytes)], { stdio: ['ignore', 'ignore', 'inherit'] });
}
