// Anchors: windows whose gear hash has its top bits 0 (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"

// One byte on: the hash is then that of the window that ends with it. Branches are cheap here, they are hardly taken.
#define GEAR_STEP(byte, place)                 \
  hash = (hash << 1) + gear[(byte) & 255];     \
  if (hash < limit) anchors[count++] = (place)

// The starts of the anchors among the windows that start in [from, to), ascending, go to core->anchors; returns their
// number. Reads up to `to + WINDOW_BYTES - 1`.
static uint32_t sample_anchors(const struct core *core, uint32_t from, uint32_t to) {
  const uint32_t *gear = core->gear;
  const uint8_t *bytes = core->segment + WINDOW_BYTES - 1;
  uint32_t *anchors = core->anchors;
  uint32_t limit = 1u << (32 - core->sample_bits);
  uint32_t hash = 0;
  uint32_t count = 0;
  uint32_t at = from;
  for (uint32_t i = from; i < from + WINDOW_BYTES - 1; i += 1) hash = (hash << 1) + gear[core->segment[i]];
  // Half of the engine's time is spent here: eight steps for each load are what makes it fast.
  for (; at + 8 <= to; at += 8) {
    uint64_t word;
    __builtin_memcpy(&word, bytes + at, sizeof word);
    GEAR_STEP(word, at);
    GEAR_STEP(word >> 8, at + 1);
    GEAR_STEP(word >> 16, at + 2);
    GEAR_STEP(word >> 24, at + 3);
    GEAR_STEP(word >> 32, at + 4);
    GEAR_STEP(word >> 40, at + 5);
    GEAR_STEP(word >> 48, at + 6);
    GEAR_STEP(word >> 56, at + 7);
  }
  for (; at < to; at += 1) {
    GEAR_STEP(bytes[at], at);
  }
  return count;
}
