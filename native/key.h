// Keys of anchors: two 32-bit chains over the window's words (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"

#define MULTIPLIER_A 0x2c1b3c6du
#define MULTIPLIER_B 0x297a2d39u

static inline uint32_t mix(uint32_t value, uint32_t multiplier) {
  uint32_t product = value * multiplier;
  return product ^ (product >> 15);
}

static inline struct key key_window(const struct core *core, uint32_t start) {
  const uint8_t *window = core->segment + start;
  uint32_t a = 0x9e3779b9u;
  uint32_t b = 0x7f4a7c15u;
  for (uint32_t i = 0; i < WINDOW_BYTES; i += 4) {
    uint32_t word = load_word(window + i);
    a = mix(a ^ word, MULTIPLIER_A);
    b = mix(b + word, MULTIPLIER_B);
  }
  uint32_t bucket = (uint32_t)(((uint64_t)mix(a ^ (b >> 16), MULTIPLIER_B) * core->buckets) >> 32);
  return (struct key){start, bucket, mix(b ^ (a >> 16), MULTIPLIER_A) >> 4};
}

// Fills core->keys from the first `count` anchors, leaving out windows with a period of 1, 2, 4 or 8: such windows are
// everywhere in a run, and runs are handled apart. Returns how many are left.
static uint32_t key_anchors(const struct core *core, uint32_t count) {
  uint32_t kept = 0;
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t start = core->anchors[n];
    const uint8_t *window = core->segment + start;
    if (equal_forward(window, window + 8, WINDOW_BYTES - 8) == WINDOW_BYTES - 8) continue;
    core->keys[kept++] = key_window(core, start);
  }
  return kept;
}
