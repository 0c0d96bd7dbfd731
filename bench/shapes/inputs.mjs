// Inputs that are as easy or as hard as can be: what they are made of, MiB by MiB.
import { randomMebibyte } from '../random-bytes.mjs';
import { densePeriod } from './dense-period.mjs';

const mebibyte = 2 ** 20;

/** @typedef {Iterable<Uint8Array>} Chunks */

/**
 * `chunks` of base and target, each of about so many MiB.
 * @typedef {{name: string, base: (mebibytes: number) => Chunks, target: (mebibytes: number) => Chunks}} Shape
 */

/** The shape that tells the normal rate: nothing repeats, nothing matches. */
export const normalShape = 'random, against other random bytes';

/**
 * All of them.
 * @returns {Promise<Shape[]>}
 */
export async function allShapes() {
  const dense = await densePeriod();
  return [
    { name: normalShape, base: (n) => random(n, 0), target: (n) => random(n, 1) },
    { name: 'identical', base: (n) => random(n, 0), target: (n) => random(n, 0) },
    { name: 'shifted by one byte', base: (n) => random(n, 0), target: (n) => after(1, random(n, 0)) },
    { name: 'zeros', base: zeros, target: (n) => after(1, zeros(n)) },
    { name: 'zeros, against random bytes', base: zeros, target: (n) => random(n, 0) },
    { name: 'period of 24 bytes', base: (n) => period(n, 24), target: (n) => after(1, period(n, 24)) },
    { name: 'period of 33 bytes', base: (n) => period(n, 33), target: (n) => after(1, period(n, 33)) },
    { name: 'period of 4099 bytes', base: (n) => period(n, 4099), target: (n) => after(1, period(n, 4099)) },
    {
      name: 'period of 3 bytes, two positions in three anchors',
      base: (n) => repeated(n, dense),
      target: (n) => after(1, repeated(n, dense)),
    },
    {
      name: 'the same, cut by random bytes every 100',
      base: (n) => cut(n, dense, 100, 0),
      target: (n) => cut(n, dense, 100, 1),
    },
    { name: 'near-duplicate pages of 16 KiB', base: (n) => pages(n, 0), target: (n) => pages(n, 1) },
    { name: 'records of 64 bytes, shuffled', base: (n) => records(n, 64, false), target: (n) => records(n, 64, true) },
    {
      name: 'windows that match for 40 bytes and no more',
      base: (n) => teasers(n, 0),
      target: (n) => teasers(n, 1),
    },
    { name: 'short runs of zeros between random bytes', base: zeroRuns(0), target: zeroRuns(1) },
  ];
}

/**
 * @param {number} mebibytes
 * @param {number} version
 */
function* random(mebibytes, version) {
  for (let index = 0; index < mebibytes; index++) yield randomMebibyte(index, version);
}

/** @param {number} mebibytes */
function* zeros(mebibytes) {
  const chunk = Buffer.alloc(mebibyte);
  for (let index = 0; index < mebibytes; index++) yield chunk;
}

/**
 * The chunks, all moved by some bytes that they do not hold.
 * @param {number} bytes
 * @param {Chunks} chunks
 */
function* after(bytes, chunks) {
  yield Buffer.alloc(bytes, 1);
  yield* chunks;
}

/**
 * @param {number} mebibytes
 * @param {number} bytes
 */
function period(mebibytes, bytes) {
  return repeated(mebibytes, randomMebibyte(0).subarray(0, bytes));
}

/**
 * @param {number} mebibytes
 * @param {Uint8Array} pattern
 */
function* repeated(mebibytes, pattern) {
  const chunk = Buffer.alloc(Math.floor(mebibyte / pattern.length) * pattern.length, pattern);
  for (let index = 0; index < mebibytes; index++) yield chunk;
}

/**
 * A pattern over and over, of which each piece of `every` bytes starts with eight others.
 * @param {number} mebibytes
 * @param {Uint8Array} pattern
 * @param {number} every
 * @param {number} version
 */
function* cut(mebibytes, pattern, every, version) {
  for (let index = 0; index < mebibytes; index++) {
    const chunk = Buffer.alloc(mebibyte, pattern);
    const noise = randomMebibyte(index, version);
    for (let at = 0; at + 8 <= mebibyte; at += every) noise.copy(chunk, at, at, at + 8);
    yield chunk;
  }
}

/**
 * One page over and over, of which each copy has sixteen bytes of its own in its middle.
 * @param {number} mebibytes
 * @param {number} version
 */
function* pages(mebibytes, version) {
  const page = randomMebibyte(0).subarray(0, 16384);
  for (let index = 0; index < mebibytes; index++) {
    const chunk = Buffer.alloc(mebibyte, page);
    const noise = randomMebibyte(index, version + 1);
    for (let at = 8192; at < mebibyte; at += page.length) noise.copy(chunk, at, at, at + 16);
    yield chunk;
  }
}

/**
 * Random records, in the target in another order within each 16 MiB, so that every one is a copy of its own.
 * @param {number} mebibytes
 * @param {number} bytes
 * @param {boolean} shuffled
 */
function* records(mebibytes, bytes, shuffled) {
  const count = mebibyte / bytes;
  for (let index = 0; index < mebibytes; index++) {
    const source = randomMebibyte(index);
    const chunk = Buffer.from(source);
    // An odd factor permutes the residues of a power of two.
    if (shuffled)
      for (let i = 0; i < count; i++)
        source.copy(chunk, i * bytes, ((i * 5167) % count) * bytes, (((i * 5167) % count) + 1) * bytes);
    yield chunk;
  }
}

/**
 * The same 40 bytes of a thousand kinds, with 24 bytes between that never repeat.
 * @param {number} mebibytes
 * @param {number} version
 */
function* teasers(mebibytes, version) {
  const kinds = randomMebibyte(0);
  for (let index = 0; index < mebibytes; index++) {
    const chunk = randomMebibyte(index, version + 1);
    for (let at = 0; at < mebibyte; at += 64) {
      const kind = 64 * (chunk.readUInt16LE(at + 40) % 1000);
      kinds.copy(chunk, at, kind, kind + 40);
    }
    yield chunk;
  }
}

/**
 * 40 zeros, then 24 random bytes, over and over; a run of zeros is worth a copy, just so.
 * @param {number} version
 * @returns {(mebibytes: number) => Chunks}
 */
function zeroRuns(version) {
  return function* runs(mebibytes) {
    for (let index = 0; index < mebibytes; index++) {
      const chunk = randomMebibyte(index, version);
      for (let at = 0; at < mebibyte; at += 64) chunk.fill(0, at, at + 40);
      yield chunk;
    }
  };
}
