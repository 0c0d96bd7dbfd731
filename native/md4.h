// MD4 (RFC 1320) of eight texts of one length at once: four in the lanes of a vector, and two such sets in turn, because
// each step of a set waits for the one before it.
#pragma once

#include "lanes.h"

#define MD4_TEXTS 8
#define MD4_SETS 2
#define MD4_CHUNK_BYTES 64
#define MD4_DIGEST_BYTES 16

struct md4_state {
  words a[MD4_SETS], b[MD4_SETS], c[MD4_SETS], d[MD4_SETS];
};

static inline words rotate_words(words value, int bits) { return (value << bits) | (value >> (32 - bits)); }

// Section 3.4: the functions of the three rounds, written with fewer operations.
static inline words md4_f(words x, words y, words z) { return z ^ (x & (y ^ z)); }

static inline words md4_g(words x, words y, words z) { return (x & (y | z)) | (y & z); }

static inline words md4_h(words x, words y, words z) { return x ^ y ^ z; }

// Turns four words of four texts into four vectors, each with one word of all texts.
static inline void md4_gather(const uint8_t *const *texts, uint32_t offset, words *into) {
  words first = load_words(texts[0] + offset);
  words second = load_words(texts[1] + offset);
  words third = load_words(texts[2] + offset);
  words fourth = load_words(texts[3] + offset);
  longs low_a = (longs)__builtin_shufflevector(first, second, 0, 4, 1, 5);
  longs high_a = (longs)__builtin_shufflevector(first, second, 2, 6, 3, 7);
  longs low_b = (longs)__builtin_shufflevector(third, fourth, 0, 4, 1, 5);
  longs high_b = (longs)__builtin_shufflevector(third, fourth, 2, 6, 3, 7);
  into[0] = (words)low_halves(low_a, low_b);
  into[1] = (words)high_halves(low_a, low_b);
  into[2] = (words)low_halves(high_a, high_b);
  into[3] = (words)high_halves(high_a, high_b);
}

#define MD4_STEP(function, constant, a, b, c, d, word, bits)                                                   \
  for (int set = 0; set < MD4_SETS; set += 1) {                                                                \
    a[set] = rotate_words(a[set] + function(b[set], c[set], d[set]) + text[set][word] + (uint32_t)constant, bits); \
  }

#define MD4_FOUR(function, constant, w0, w1, w2, w3, s0, s1, s2, s3) \
  MD4_STEP(function, constant, a, b, c, d, w0, s0)                   \
  MD4_STEP(function, constant, d, a, b, c, w1, s1)                   \
  MD4_STEP(function, constant, c, d, a, b, w2, s2)                   \
  MD4_STEP(function, constant, b, c, d, a, w3, s3)

// Takes in the chunk at `offset` of each text.
static inline void md4_chunk(struct md4_state *state, const uint8_t *const *texts, uint32_t offset) {
  words text[MD4_SETS][16];
  words a[MD4_SETS], b[MD4_SETS], c[MD4_SETS], d[MD4_SETS];
  for (int set = 0; set < MD4_SETS; set += 1) {
    for (uint32_t word = 0; word < 16; word += 4) md4_gather(texts + 4 * set, offset + 4 * word, text[set] + word);
    a[set] = state->a[set];
    b[set] = state->b[set];
    c[set] = state->c[set];
    d[set] = state->d[set];
  }
  MD4_FOUR(md4_f, 0, 0, 1, 2, 3, 3, 7, 11, 19)
  MD4_FOUR(md4_f, 0, 4, 5, 6, 7, 3, 7, 11, 19)
  MD4_FOUR(md4_f, 0, 8, 9, 10, 11, 3, 7, 11, 19)
  MD4_FOUR(md4_f, 0, 12, 13, 14, 15, 3, 7, 11, 19)
  MD4_FOUR(md4_g, 0x5a827999, 0, 4, 8, 12, 3, 5, 9, 13)
  MD4_FOUR(md4_g, 0x5a827999, 1, 5, 9, 13, 3, 5, 9, 13)
  MD4_FOUR(md4_g, 0x5a827999, 2, 6, 10, 14, 3, 5, 9, 13)
  MD4_FOUR(md4_g, 0x5a827999, 3, 7, 11, 15, 3, 5, 9, 13)
  MD4_FOUR(md4_h, 0x6ed9eba1, 0, 8, 4, 12, 3, 9, 11, 15)
  MD4_FOUR(md4_h, 0x6ed9eba1, 2, 10, 6, 14, 3, 9, 11, 15)
  MD4_FOUR(md4_h, 0x6ed9eba1, 1, 9, 5, 13, 3, 9, 11, 15)
  MD4_FOUR(md4_h, 0x6ed9eba1, 3, 11, 7, 15, 3, 9, 11, 15)
  for (int set = 0; set < MD4_SETS; set += 1) {
    state->a[set] += a[set];
    state->b[set] += b[set];
    state->c[set] += c[set];
    state->d[set] += d[set];
  }
}

// Section 3.1 and 3.2: what follows the last whole chunk of each text. Returns how many chunks that is.
static uint32_t md4_pad(const uint8_t *const *texts, uint32_t length, uint8_t padding[MD4_TEXTS][2 * MD4_CHUNK_BYTES]) {
  uint32_t rest = length % MD4_CHUNK_BYTES;
  uint32_t chunks = rest < MD4_CHUNK_BYTES - 8 ? 1 : 2;
  uint64_t bits = (uint64_t)length * 8;
  for (int n = 0; n < MD4_TEXTS; n += 1) {
    __builtin_memset(padding[n], 0, sizeof padding[n]);
    __builtin_memcpy(padding[n], texts[n] + length - rest, rest);
    padding[n][rest] = 0x80;
    __builtin_memcpy(padding[n] + chunks * MD4_CHUNK_BYTES - 8, &bits, 8);
  }
  return chunks;
}

// Stores the digests of MD4_TEXTS texts of `length` bytes each.
static void md4_digests(const uint8_t *const *texts, uint32_t length, uint8_t digests[MD4_TEXTS][MD4_DIGEST_BYTES]) {
  struct md4_state state;
  for (int set = 0; set < MD4_SETS; set += 1) {
    state.a[set] = (words){0x67452301, 0x67452301, 0x67452301, 0x67452301};
    state.b[set] = (words){0xefcdab89, 0xefcdab89, 0xefcdab89, 0xefcdab89};
    state.c[set] = (words){0x98badcfe, 0x98badcfe, 0x98badcfe, 0x98badcfe};
    state.d[set] = (words){0x10325476, 0x10325476, 0x10325476, 0x10325476};
  }
  for (uint32_t offset = 0; length - offset >= MD4_CHUNK_BYTES; offset += MD4_CHUNK_BYTES) {
    md4_chunk(&state, texts, offset);
  }
  uint8_t padding[MD4_TEXTS][2 * MD4_CHUNK_BYTES];
  const uint8_t *ends[MD4_TEXTS];
  for (int n = 0; n < MD4_TEXTS; n += 1) ends[n] = padding[n];
  uint32_t chunks = md4_pad(texts, length, padding);
  for (uint32_t chunk = 0; chunk < chunks; chunk += 1) md4_chunk(&state, ends, chunk * MD4_CHUNK_BYTES);
  for (int n = 0; n < MD4_TEXTS; n += 1) {
    int set = n / 4;
    int lane = n % 4;
    uint32_t digest[4] = {state.a[set][lane], state.b[set][lane], state.c[set][lane], state.d[set][lane]};
    __builtin_memcpy(digests[n], digest, sizeof digest);
  }
}
