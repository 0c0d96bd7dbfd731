// The inner loops of signatures, and of deltas that are made from one. signature-abi.h says how they are called,
// docs/signatures.md what they compute; src/delta/ has the same in TypeScript, and both make the same bytes.
#include "block-search.h"

void sum_blocks(const struct signature_kind *kind, const uint8_t *bytes, uint32_t length, uint8_t *entries) {
  uint32_t lanes = strong_lanes(kind);
  uint32_t left = length / kind->block_bytes;
  for (uint32_t count; left > 0; left -= count) {
    count = left < lanes ? left : lanes;
    put_entries(kind, bytes, count, kind->block_bytes, entries);
    bytes += count * kind->block_bytes;
    entries += count * (WEAK_BYTES + kind->strong_bytes);
  }
  uint32_t rest = length % kind->block_bytes;
  if (rest > 0) put_entries(kind, bytes, 1, rest, entries);
}

void index_blocks(struct block_index *index) { build_index(index); }

uint32_t search_blocks(struct search *search) { return search_text(search); }
