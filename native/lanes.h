// Vectors of 16 bytes: the same work on several blocks at once. Written with the vector extensions that clang and gcc
// share, so that the core also compiles where there is no WebAssembly.
#pragma once

#include <stdint.h>

typedef uint32_t words __attribute__((vector_size(16)));
typedef uint64_t longs __attribute__((vector_size(16)));

static inline words load_words(const uint8_t *at) {
  words loaded;
  __builtin_memcpy(&loaded, at, sizeof loaded);
  return loaded;
}

static inline longs load_longs(const uint8_t *at) {
  longs loaded;
  __builtin_memcpy(&loaded, at, sizeof loaded);
  return loaded;
}

// The low and the high halves of two vectors.
static inline longs low_halves(longs a, longs b) { return __builtin_shufflevector(a, b, 0, 2); }

static inline longs high_halves(longs a, longs b) { return __builtin_shufflevector(a, b, 1, 3); }
