// The weak sum of a window that moves on by a byte, or whose first byte is taken off.
#pragma once

#include "signature-abi.h"
#include "weak-sum.h"

// The inverse of RABIN_KARP_BASE modulo 2^32.
#define RABIN_KARP_INVERSE 0x98f009adu

_Static_assert(RABIN_KARP_BASE * RABIN_KARP_INVERSE == 1, "an inverse");

// What moving a window of one length takes.
struct roller {
  uint32_t length;
  // RABIN_KARP_BASE^length, and what goes wrong with the 1 that each sum starts with.
  uint32_t power;
  uint32_t correction;
};

static struct roller make_roller(uint32_t length) {
  uint32_t power = 1;
  uint32_t square = RABIN_KARP_BASE;
  for (uint32_t left = length; left > 0; left >>= 1, square *= square) {
    if (left & 1) power *= square;
  }
  return (struct roller){.length = length, .power = power, .correction = power - power * RABIN_KARP_BASE};
}

static inline uint32_t roll(enum weak_kind kind, const struct roller *roller, uint32_t sum, uint8_t out, uint8_t in) {
  if (kind == RABIN_KARP) return sum * RABIN_KARP_BASE + (in - out * roller->power + roller->correction);
  uint32_t low = sum + in - out;
  uint32_t high = (sum >> 16) + low - roller->length * (out + ROLLSUM_OFFSET);
  return (high << 16) | (low & 0xffff);
}

// Takes the first byte off the window, which is `roller`'s, and makes the roller that of the rest.
static inline uint32_t shrink(enum weak_kind kind, struct roller *roller, uint32_t sum, uint8_t out) {
  uint32_t length = roller->length;
  uint32_t power = roller->power * RABIN_KARP_INVERSE;
  roller->length = length - 1;
  if (kind == RABIN_KARP) {
    sum = sum - roller->power - out * power + power;
    roller->power = power;
    return sum;
  }
  uint32_t byte = out + ROLLSUM_OFFSET;
  return (((sum >> 16) - length * byte) << 16) | ((sum - byte) & 0xffff);
}
