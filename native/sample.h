// Raw anchors: windows whose first bytes have a hash below a limit (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"

// The sum of the bytes b[0] .. b[15] of a window, each shifted left by 15 - k, in 16 bits.
#define HASHED_BYTES 16
#define HASH_MULTIPLIER 0x9e37
#define HASH_ADDEND 0x3c6d

// The sum of the window at `at`, from that of the window before it. What was added 16 bytes ago has been shifted out of
// the 16 bits that count.
static inline uint32_t roll_to(const uint8_t *bytes, uint32_t at, uint32_t sum) {
  return (sum << 1) + bytes[at + HASHED_BYTES - 1];
}

// What the sum of the window at `at` is rolled from.
static inline uint32_t sum_before(const uint8_t *bytes, uint32_t at) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < HASHED_BYTES - 1; i += 1) sum = (sum << 1) + bytes[at + i];
  return sum;
}

static inline uint32_t hash_of(uint32_t sum) { return (uint16_t)(sum * HASH_MULTIPLIER + HASH_ADDEND); }

// The raw anchors among the windows that start in [from, to), ascending, go to `anchors`; returns their number.
static uint32_t sample_slowly(const uint8_t *bytes, uint32_t from, uint32_t to, uint32_t limit, uint32_t *anchors) {
  if (from == to) return 0;
  uint32_t sum = sum_before(bytes, from);
  uint32_t count = 0;
  for (uint32_t at = from; at < to; at += 1) {
    sum = roll_to(bytes, at, sum);
    if (hash_of(sum) < limit) anchors[count++] = at;
  }
  return count;
}

// The window with the lowest hash, the last of equal ones, among those that start in [from, to), at least one.
static uint32_t lowest_window(const uint8_t *bytes, uint32_t from, uint32_t to) {
  uint32_t sum = sum_before(bytes, from);
  uint32_t lowest = from;
  uint32_t lowest_hash = UINT32_MAX;
  for (uint32_t at = from; at < to; at += 1) {
    sum = roll_to(bytes, at, sum);
    if (hash_of(sum) > lowest_hash) continue;
    lowest = at;
    lowest_hash = hash_of(sum);
  }
  return lowest;
}

#ifdef __wasm_simd128__
// A block is what 8 neighbouring places have of something, 16 bits each; a block `moved` by n is that of the 8 places n
// further on, taken from the block and the one after it.
#define MOVED_2(block, next) \
  wasm_i8x16_shuffle(block, next, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
#define MOVED_4(block, next) \
  wasm_i8x16_shuffle(block, next, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)

static inline v128_t shifted_sum(v128_t first, uint32_t bits, v128_t then) {
  return wasm_i16x8_add(wasm_i16x8_shl(first, bits), then);
}

// The sums over 2 bytes.
static inline v128_t sums_of_2(const uint8_t *bytes) {
  return shifted_sum(wasm_u16x8_load8x8(bytes), 1, wasm_u16x8_load8x8(bytes + 1));
}

// Hashes with their highest bit turned over: as signed numbers they are in the order of the hashes, and signed numbers
// are compared by one instruction instead of three.
#define TURNED 0x8000

static inline v128_t turned_hashes(v128_t sums) {
  return wasm_i16x8_add(wasm_i16x8_mul(sums, wasm_i16x8_splat((int16_t)HASH_MULTIPLIER)),
                        wasm_i16x8_splat((int16_t)(HASH_ADDEND + TURNED)));
}

// Sums over 4, 8 and 16 bytes are two of half as many, so that each step doubles: four steps for 8 places instead of 16
// for each. Windows are sampled 16 at a time; returns the number of anchors, and in `rest` where it stopped.
static uint32_t sample_quickly(const uint8_t *bytes, uint32_t from, uint32_t to, uint32_t limit, uint32_t *anchors,
                               uint32_t *rest) {
  *rest = from;
  if (to - from < 16) return 0;
  v128_t limits = wasm_i16x8_splat((int16_t)(limit ^ TURNED));
  uint32_t count = 0;
  uint32_t at = from;
  // Of the places from `at` on: sums over 8 bytes, from at + 8 on: over 4, from at + 16 on: over 2.
  v128_t first_of_2 = sums_of_2(bytes + at);
  v128_t next_of_2 = sums_of_2(bytes + at + 8);
  v128_t of_2 = sums_of_2(bytes + at + 16);
  v128_t first_of_4 = shifted_sum(first_of_2, 2, MOVED_2(first_of_2, next_of_2));
  v128_t of_4 = shifted_sum(next_of_2, 2, MOVED_2(next_of_2, of_2));
  v128_t of_8 = shifted_sum(first_of_4, 4, MOVED_4(first_of_4, of_4));
  for (; at + 16 <= to; at += 16) {
    v128_t low_of_2 = sums_of_2(bytes + at + 24);
    v128_t low_of_4 = shifted_sum(of_2, 2, MOVED_2(of_2, low_of_2));
    v128_t low_of_8 = shifted_sum(of_4, 4, MOVED_4(of_4, low_of_4));
    v128_t low = turned_hashes(shifted_sum(of_8, 8, low_of_8));
    of_2 = sums_of_2(bytes + at + 32);
    of_4 = shifted_sum(low_of_2, 2, MOVED_2(low_of_2, of_2));
    of_8 = shifted_sum(low_of_4, 4, MOVED_4(low_of_4, of_4));
    v128_t high = turned_hashes(shifted_sum(low_of_8, 8, of_8));
    v128_t found = wasm_i8x16_narrow_i16x8(wasm_i16x8_lt(low, limits), wasm_i16x8_lt(high, limits));
    for (uint32_t mask = wasm_i8x16_bitmask(found); mask != 0; mask &= mask - 1) {
      anchors[count++] = at + (uint32_t)__builtin_ctz(mask);
    }
  }
  *rest = at;
  return count;
}
#else
static uint32_t sample_quickly(const uint8_t *bytes, uint32_t from, uint32_t to, uint32_t limit, uint32_t *anchors,
                               uint32_t *rest) {
  *rest = to;
  return sample_slowly(bytes, from, to, limit, anchors);
}
#endif

static inline uint32_t anchor_limit(const struct core *core) { return 1u << (16 - core->sample_bits); }

// The starts of the raw anchors among the windows that start in [from, to), ascending, go to core->anchors; returns their
// number. Reads up to `to + WINDOW_BYTES - 1`.
static uint32_t sample_anchors(const struct core *core, uint32_t from, uint32_t to) {
  uint32_t limit = anchor_limit(core);
  uint32_t rest;
  uint32_t count = sample_quickly(core->segment, from, to, limit, core->anchors, &rest);
  return count + sample_slowly(core->segment, rest, to, limit, core->anchors + count);
}
