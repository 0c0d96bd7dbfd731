const CHUNK_BYTES = 128;
const DIGEST_BYTES = 32;

/** RFC 7693, section 2.6: the initialization vector, each number as its low and its high word. */
const IV = Uint32Array.of(
  ...[0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a],
  ...[0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19],
);

/** Section 2.7: the order of the message's numbers in each round; rounds 10 and 11 are as 0 and 1. */
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;
const ROUNDS = 12;

/** Section 3.2: which four numbers each step of a round mixes: first the columns, then the diagonals. */
const STEPS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/**
 * The BLAKE2b digest (RFC 7693) of 32 bytes, without a key, of `bytes`. Node has only the one of 64 bytes, which is
 * another function. Numbers of 64 bits are pairs of words here.
 */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  const state = IV.slice();
  state[0]! ^= 0x01010000 ^ DIGEST_BYTES;
  let at = 0;
  // The last chunk is taken in as such, even when it is whole.
  for (; bytes.length - at > CHUNK_BYTES; at += CHUNK_BYTES) takeIn(state, bytes, at, at + CHUNK_BYTES, false);
  const last = new Uint8Array(CHUNK_BYTES);
  last.set(bytes.subarray(at));
  takeIn(state, last, 0, bytes.length, true);
  const digest = new DataView(new ArrayBuffer(DIGEST_BYTES));
  for (let n = 0; n < DIGEST_BYTES / 4; n += 1) digest.setUint32(4 * n, state[n]!, true);
  return new Uint8Array(digest.buffer);
}

/** Section 3.2: the compression function, for the chunk at `at`; `total` bytes are then taken in. */
function takeIn(state: Uint32Array, bytes: Uint8Array, at: number, total: number, isLast: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, CHUNK_BYTES);
  const text = Uint32Array.from({ length: 32 }, (_, n) => view.getUint32(4 * n, true));
  const v = new Uint32Array(32);
  v.set(state);
  v.set(IV, 16);
  v[24]! ^= total;
  v[25]! ^= Math.floor(total / 2 ** 32);
  if (isLast) {
    v[28] = ~v[28]!;
    v[29] = ~v[29]!;
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = SIGMA[round % SIGMA.length]!;
    for (const [n, [a, b, c, d]] of STEPS.entries()) {
      mix(v, 2 * a, 2 * b, 2 * c, 2 * d, text, 2 * order[2 * n]!, 2 * order[2 * n + 1]!);
    }
  }
  for (let n = 0; n < 16; n += 1) state[n]! ^= v[n]! ^ v[n + 16]!;
}

/** Section 3.1: the mixing function G. */
function mix(
  v: Uint32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  text: Uint32Array,
  x: number,
  y: number,
): void {
  add(v, a, v, b);
  add(v, a, text, x);
  xorAndTurn(v, d, a, 32);
  add(v, c, v, d);
  xorAndTurn(v, b, c, 24);
  add(v, a, v, b);
  add(v, a, text, y);
  xorAndTurn(v, d, a, 16);
  add(v, c, v, d);
  xorAndTurn(v, b, c, 63);
}

function add(v: Uint32Array, to: number, from: Uint32Array, at: number): void {
  const low = v[to]! + from[at]!;
  v[to] = low;
  v[to + 1] = v[to + 1]! + from[at + 1]! + (low > 0xffffffff ? 1 : 0);
}

/** v[to] = (v[to] ^ v[from]), rotated to the right by 16, 24, 32 or 63 bits. */
function xorAndTurn(v: Uint32Array, to: number, from: number, bits: 16 | 24 | 32 | 63): void {
  const low = v[to]! ^ v[from]!;
  const high = v[to + 1]! ^ v[from + 1]!;
  if (bits === 32) {
    v[to] = high;
    v[to + 1] = low;
  } else if (bits === 63) {
    v[to] = (low << 1) | (high >>> 31);
    v[to + 1] = (high << 1) | (low >>> 31);
  } else {
    v[to] = (low >>> bits) | (high << (32 - bits));
    v[to + 1] = (high >>> bits) | (low << (32 - bits));
  }
}
