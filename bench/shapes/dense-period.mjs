import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../program.mjs';

/** What a base of 512 MiB is sampled by at the normal effort. */
const sampleBits = 8;

const periodBytes = 3;

/** Room for a window at each of the three positions. */
const patchBytes = 48;

/**
 * Three bytes that, repeated, make an anchor of every position, or of as many as three bytes can: the most that can be
 * indexed and looked up, all under three keys. Found by trying all with our own sampling, for any sampling has some.
 * @returns {Promise<Uint8Array>}
 */
export async function densePeriod() {
  /** @type {typeof import('../../src/delta/sample.js')} */
  const { sampleAnchors } = await import(pathToFileURL(join(root, 'dist', 'delta', 'sample.js')).href);
  // A patch for each third byte, all sampled in one go.
  const patches = Buffer.alloc(256 * patchBytes);
  for (let at = 2; at < patches.length; at += periodBytes) patches[at] = Math.floor(at / patchBytes);
  const view = new DataView(patches.buffer, patches.byteOffset, patches.length);
  const anchors = new Int32Array(patches.length);
  let best = { bytes: [0, 0, 1], anchors: 0 };
  for (let first = 0; first < 2 ** 16 && best.anchors < periodBytes; first++) {
    const [a, b] = [first >> 8, first & 255];
    for (let at = 0; at < patches.length; at += periodBytes) {
      patches[at] = a;
      patches[at + 1] = b;
    }
    const count = sampleAnchors(view, 0, patches.length - patchBytes, sampleBits, anchors);
    best = densest(anchors.subarray(0, count), [a, b], best);
  }
  return Uint8Array.from(best.bytes);
}

/**
 * The best so far, or one with more anchors at a patch's first three positions; three equal bytes are a constant run.
 * @param {Int32Array} anchors
 * @param {readonly [number, number]} bytes the first two
 * @param {{bytes: number[], anchors: number}} best
 */
function densest(anchors, [a, b], best) {
  const counts = new Uint8Array(256);
  for (const at of anchors) {
    const patch = Math.floor(at / patchBytes);
    if (at % patchBytes < periodBytes) counts[patch] = Number(counts[patch]) + 1;
  }
  const c = counts.findIndex((found, third) => found > best.anchors && (a !== b || b !== third));
  return c < 0 ? best : { bytes: [a, b, c], anchors: Number(counts[c]) };
}
