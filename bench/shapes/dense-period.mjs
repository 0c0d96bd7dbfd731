import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../program.mjs';

const windowBytes = 32;
const periodBytes = 3;

/**
 * Three bytes that, repeated, make anchors of as many positions as three bytes can: the most that can be indexed and
 * looked up, all under three keys. Found by trying all, with the gear table of our own sampling.
 * @returns {Promise<Uint8Array>}
 */
export async function densePeriod() {
  /** @type {typeof import('../../src/delta/sample.js')} */
  const { GEAR } = await import(pathToFileURL(join(root, 'dist', 'delta', 'sample.js')).href);
  // A window's hash weighs its bytes by powers of two; those of one residue are the same byte.
  const shares = [0, 1, 2].map((residue) => GEAR.map((gear) => Math.imul(gear, weightOf(residue))));
  const [first, second, third] = shares;
  if (first === undefined || second === undefined || third === undefined) throw new Error('expected three shares');
  const best = { bytes: Uint8Array.of(0, 0, 1), highestHash: 2 ** 32 };
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      for (let c = a + 1; c < 256; c++) {
        // The three windows there are, each starting with another of the bytes; a lower hash is an anchor sooner.
        const highestHash = Math.max(
          (Number(first[a]) + Number(second[b]) + Number(third[c])) >>> 0,
          (Number(first[b]) + Number(second[c]) + Number(third[a])) >>> 0,
          (Number(first[c]) + Number(second[a]) + Number(third[b])) >>> 0,
        );
        if (highestHash < best.highestHash) Object.assign(best, { bytes: Uint8Array.of(a, b, c), highestHash });
      }
    }
  }
  return best.bytes;
}

/** @param {number} residue of the positions that count */
function weightOf(residue) {
  let weight = 0;
  for (let position = residue; position < windowBytes; position += periodBytes) weight |= 1 << (31 - position);
  return weight;
}
