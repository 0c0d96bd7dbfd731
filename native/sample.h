// Anchors: windows whose gear hash has its top bits 0 (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"

// The number of the byte that is bits 2 to 9 of `word`: so it is already the distance from the table's start.
static inline uint32_t gear_of(uint32_t word) {
  return *(const uint32_t *)((const uint8_t *)gear + (word & (BYTE_VALUES - 1) << 2));
}

// One byte on: the hash is then that of the window that ends with it. The branch is cheap, it is hardly ever taken.
#define GEAR_STEP(word, place)                            \
  do {                                                    \
    hash = (hash << 1) + gear_of(word);                   \
    if (hash < limit) anchors[count++] = (place);         \
  } while (0)

// The starts of the anchors among the windows that start in [from, to), ascending, go to core->anchors; returns their
// number. Reads up to `to + WINDOW_BYTES - 1`.
static uint32_t sample_anchors(const struct core *core, uint32_t from, uint32_t to) {
  const uint8_t *ends = core->segment + WINDOW_BYTES - 1;
  uint32_t *anchors = core->anchors;
  uint32_t limit = 1u << (32 - core->sample_bits);
  uint32_t hash = 0;
  uint32_t count = 0;
  uint32_t at = from;
  for (uint32_t i = from; i < from + WINDOW_BYTES - 1; i += 1) hash = (hash << 1) + gear[core->segment[i]];
  // Half of the engine's time is spent here. What makes it fast is few instructions, not steps that could overlap: two
  // hashes rolled side by side were slower.
  for (; at + 8 <= to; at += 8) {
    uint32_t low = load_word(ends + at);
    GEAR_STEP(low << 2, at);
    GEAR_STEP(low >> 6, at + 1);
    GEAR_STEP(low >> 14, at + 2);
    GEAR_STEP(low >> 22, at + 3);
    uint32_t high = load_word(ends + at + 4);
    GEAR_STEP(high << 2, at + 4);
    GEAR_STEP(high >> 6, at + 5);
    GEAR_STEP(high >> 14, at + 6);
    GEAR_STEP(high >> 22, at + 7);
  }
  for (; at < to; at += 1) GEAR_STEP((uint32_t)ends[at] << 2, at);
  return count;
}
