/** MD4 works on chunks of 16 words. */
const CHUNK_BYTES = 64;

/** RFC 1320, section 3.4: for each round its constant, the order of the words, and how far each step rotates. */
const ROUNDS = [
  { constant: 0, order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], turns: [3, 7, 11, 19] },
  { constant: 0x5a827999, order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], turns: [3, 5, 9, 13] },
  { constant: 0x6ed9eba1, order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], turns: [3, 9, 11, 15] },
] as const;

/** The MD4 digest (RFC 1320) of `bytes`: 16 bytes. Node's own may be missing, as OpenSSL 3 does not offer it. */
export function md4(bytes: Uint8Array): Uint8Array {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  const whole = bytes.length - (bytes.length % CHUNK_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += CHUNK_BYTES) takeIn(state, view, at);
  const end = padded(bytes, whole);
  for (let at = 0; at < end.byteLength; at += CHUNK_BYTES) takeIn(state, end, at);
  const digest = new DataView(new ArrayBuffer(16));
  for (let n = 0; n < 4; n += 1) digest.setInt32(4 * n, state[n]!, true);
  return new Uint8Array(digest.buffer);
}

/** The bytes from `from` on, a one bit, zeros, and the length of all in bits: one chunk or two. */
function padded(bytes: Uint8Array, from: number): DataView {
  const rest = bytes.length - from;
  const end = new Uint8Array(rest < CHUNK_BYTES - 8 ? CHUNK_BYTES : 2 * CHUNK_BYTES);
  end.set(bytes.subarray(from));
  end[rest] = 0x80;
  const view = new DataView(end.buffer);
  view.setBigUint64(end.length - 8, BigInt(bytes.length) * 8n, true);
  return view;
}

function takeIn(state: Int32Array, text: DataView, at: number): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const [round, { constant, order, turns }] of ROUNDS.entries()) {
    for (let step = 0; step < 16; step += 1) {
      const sum = (a + mixed(round, b, c, d) + text.getInt32(at + 4 * order[step]!, true) + constant) | 0;
      const turn = turns[step & 3]!;
      a = d;
      d = c;
      c = b;
      b = (sum << turn) | (sum >>> (32 - turn));
    }
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}

function mixed(round: number, x: number, y: number, z: number): number {
  if (round === 0) return (x & y) | (~x & z);
  return round === 1 ? (x & y) | (x & z) | (y & z) : x ^ y ^ z;
}
