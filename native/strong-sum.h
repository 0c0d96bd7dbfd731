// The strong sums of several blocks of one length, side by side.
#pragma once

#include "blake2b.h"
#include "md4.h"
#include "signature-abi.h"

#define STRONG_MAX_BYTES BLAKE2B_DIGEST_BYTES
#define LANES_MAX MD4_TEXTS

// Blocks that are summed in the time of one.
static inline uint32_t strong_lanes(const struct signature_kind *kind) {
  return kind->strong == MD4 ? MD4_TEXTS : BLAKE2B_TEXTS;
}

// Stores the whole digests of `count` blocks of `length` bytes, at most strong_lanes, that lie block_bytes apart.
static void strong_sums(const struct signature_kind *kind, const uint8_t *bytes, uint32_t count, uint32_t length,
                        uint8_t sums[LANES_MAX][STRONG_MAX_BYTES]) {
  const uint8_t *texts[LANES_MAX];
  // A lane without a block of its own does the first one again.
  for (uint32_t n = 0; n < LANES_MAX; n += 1) texts[n] = bytes + (n < count ? n : 0) * kind->block_bytes;
  if (kind->strong == MD4) {
    uint8_t digests[MD4_TEXTS][MD4_DIGEST_BYTES];
    md4_digests(texts, length, digests);
    for (uint32_t n = 0; n < count; n += 1) __builtin_memcpy(sums[n], digests[n], MD4_DIGEST_BYTES);
  } else {
    blake2b_digests(texts, length, sums);
  }
}
