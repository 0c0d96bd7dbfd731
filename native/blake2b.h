// BLAKE2b (RFC 7693) with a digest of 32 bytes and no key, of two texts of one length at once, one in each lane.
#pragma once

#include "lanes.h"

#define BLAKE2B_TEXTS 2
#define BLAKE2B_CHUNK_BYTES 128
#define BLAKE2B_DIGEST_BYTES 32

#define BLAKE2B_IV0 0x6a09e667f3bcc908u
#define BLAKE2B_IV1 0xbb67ae8584caa73bu
#define BLAKE2B_IV2 0x3c6ef372fe94f82bu
#define BLAKE2B_IV3 0xa54ff53a5f1d36f1u
#define BLAKE2B_IV4 0x510e527fade682d1u
#define BLAKE2B_IV5 0x9b05688c2b3e6c1fu
#define BLAKE2B_IV6 0x1f83d9abfb41bd6bu
#define BLAKE2B_IV7 0x5be0cd19137e2179u

static inline longs both(uint64_t value) { return (longs){value, value}; }

static inline longs rotate_longs(longs value, int bits) { return (value >> bits) | (value << (64 - bits)); }

// A whole half: one shuffle.
static inline longs rotate_32(longs value) {
  words halves = (words)value;
  return (longs)__builtin_shufflevector(halves, halves, 1, 0, 3, 2);
}

// Section 3.1: the mixing function G.
#define BLAKE2B_MIX(a, b, c, d, x, y)  \
  a += b + text[x];                    \
  d = rotate_32(d ^ a);                \
  c += d;                              \
  b = rotate_longs(b ^ c, 24);         \
  a += b + text[y];                    \
  d = rotate_longs(d ^ a, 16);         \
  c += d;                              \
  b = rotate_longs(b ^ c, 63);

// Section 3.2: one round, with the words of the text in the order that section 2.7 gives for it.
#define BLAKE2B_ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
  BLAKE2B_MIX(v0, v4, v8, v12, s0, s1)                                                     \
  BLAKE2B_MIX(v1, v5, v9, v13, s2, s3)                                                     \
  BLAKE2B_MIX(v2, v6, v10, v14, s4, s5)                                                    \
  BLAKE2B_MIX(v3, v7, v11, v15, s6, s7)                                                    \
  BLAKE2B_MIX(v0, v5, v10, v15, s8, s9)                                                    \
  BLAKE2B_MIX(v1, v6, v11, v12, s10, s11)                                                  \
  BLAKE2B_MIX(v2, v7, v8, v13, s12, s13)                                                   \
  BLAKE2B_MIX(v3, v4, v9, v14, s14, s15)

// Takes in the chunk at `offset` of each text; `total` bytes of each are then taken in.
static inline void blake2b_chunk(longs *state, const uint8_t *const *texts, uint32_t offset, uint64_t total, int last) {
  longs text[16];
  for (uint32_t word = 0; word < 16; word += 2) {
    longs first = load_longs(texts[0] + offset + 8 * word);
    longs second = load_longs(texts[1] + offset + 8 * word);
    text[word] = low_halves(first, second);
    text[word + 1] = high_halves(first, second);
  }
  longs v0 = state[0], v1 = state[1], v2 = state[2], v3 = state[3];
  longs v4 = state[4], v5 = state[5], v6 = state[6], v7 = state[7];
  longs v8 = both(BLAKE2B_IV0), v9 = both(BLAKE2B_IV1), v10 = both(BLAKE2B_IV2), v11 = both(BLAKE2B_IV3);
  longs v12 = both(BLAKE2B_IV4 ^ total), v13 = both(BLAKE2B_IV5);
  longs v14 = both(last ? ~BLAKE2B_IV6 : BLAKE2B_IV6), v15 = both(BLAKE2B_IV7);
  BLAKE2B_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  BLAKE2B_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
  BLAKE2B_ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
  BLAKE2B_ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
  BLAKE2B_ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
  BLAKE2B_ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
  BLAKE2B_ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
  BLAKE2B_ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
  BLAKE2B_ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
  BLAKE2B_ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
  BLAKE2B_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  BLAKE2B_ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
  state[0] ^= v0 ^ v8;
  state[1] ^= v1 ^ v9;
  state[2] ^= v2 ^ v10;
  state[3] ^= v3 ^ v11;
  state[4] ^= v4 ^ v12;
  state[5] ^= v5 ^ v13;
  state[6] ^= v6 ^ v14;
  state[7] ^= v7 ^ v15;
}

// Stores the digests of two texts of `length` bytes each.
static void blake2b_digests(const uint8_t *const *texts, uint32_t length,
                            uint8_t digests[BLAKE2B_TEXTS][BLAKE2B_DIGEST_BYTES]) {
  // Section 2.5: no key, and a fan-out and depth of 1.
  longs state[8] = {both(BLAKE2B_IV0 ^ 0x01010000 ^ BLAKE2B_DIGEST_BYTES),
                    both(BLAKE2B_IV1),
                    both(BLAKE2B_IV2),
                    both(BLAKE2B_IV3),
                    both(BLAKE2B_IV4),
                    both(BLAKE2B_IV5),
                    both(BLAKE2B_IV6),
                    both(BLAKE2B_IV7)};
  uint32_t offset = 0;
  // The last chunk is taken in as such, even when it is whole.
  for (; length - offset > BLAKE2B_CHUNK_BYTES; offset += BLAKE2B_CHUNK_BYTES) {
    blake2b_chunk(state, texts, offset, offset + BLAKE2B_CHUNK_BYTES, 0);
  }
  if (length - offset == BLAKE2B_CHUNK_BYTES) {
    blake2b_chunk(state, texts, offset, length, 1);
  } else {
    uint8_t padding[BLAKE2B_TEXTS][BLAKE2B_CHUNK_BYTES];
    const uint8_t *ends[BLAKE2B_TEXTS];
    for (int n = 0; n < BLAKE2B_TEXTS; n += 1) {
      __builtin_memset(padding[n], 0, sizeof padding[n]);
      __builtin_memcpy(padding[n], texts[n] + offset, length - offset);
      ends[n] = padding[n];
    }
    blake2b_chunk(state, ends, 0, length, 1);
  }
  for (int n = 0; n < BLAKE2B_TEXTS; n += 1) {
    uint64_t digest[4] = {state[0][n], state[1][n], state[2][n], state[3][n]};
    __builtin_memcpy(digests[n], digest, sizeof digest);
  }
}
