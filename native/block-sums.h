// The entries of a signature.
#pragma once

#include "signature-abi.h"
#include "strong-sum.h"
#include "weak-sum.h"

#define WEAK_BYTES 4

static inline uint32_t weak_sum(const struct signature_kind *kind, const uint8_t *bytes, uint32_t length) {
  return kind->weak == ROLLSUM ? rollsum(bytes, length) : rabin_karp(bytes, length);
}

// Writes the entries of `count` blocks of `length` bytes, at most as many as there are lanes.
static void put_entries(const struct signature_kind *kind, const uint8_t *bytes, uint32_t count, uint32_t length,
                        uint8_t *entries) {
  uint8_t sums[LANES_MAX][STRONG_MAX_BYTES];
  strong_sums(kind, bytes, count, length, sums);
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t weak = __builtin_bswap32(weak_sum(kind, bytes + n * kind->block_bytes, length));
    __builtin_memcpy(entries, &weak, WEAK_BYTES);
    __builtin_memcpy(entries + WEAK_BYTES, sums[n], kind->strong_bytes);
    entries += WEAK_BYTES + kind->strong_bytes;
  }
}
