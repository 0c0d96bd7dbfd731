// Raw anchors: windows that the sum of their first bytes selects (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"

// The sum of the bytes b[0] .. b[7] of a window, each shifted left by 7 - k, in 8 bits.
#define SUMMED_BYTES 8
#define SUM_BITS 8
// Where the word of a window is that decides when the sum has too few bits, and what it is multiplied by.
#define SECOND_WORD_AT 8
#define SECOND_MULTIPLIER 0x2c1b3c6du
#define RANK_MULTIPLIER 0x297a2d39u

// The highest sum of a raw anchor. One in 256 sums has this value not in random bytes alone, but in all kinds of data;
// windows with little in them have other ones.
#define HIGHEST_SUM 132

// What makes a window a raw anchor: one of so many sums, HIGHEST_SUM and those right below it, and so many top bits of
// the second word's product that are 0.
struct sampler {
  uint32_t sums;
  uint32_t second_bits;
};

static inline struct sampler sampler_of(const struct core *core) {
  uint32_t bits = core->sample_bits < SUM_BITS ? core->sample_bits : SUM_BITS;
  return (struct sampler){1u << (SUM_BITS - bits), core->sample_bits - bits};
}

// The sum of the window at `at`, from that of the window before it. What was added 8 bytes ago has been shifted out of
// the 8 bits that count.
static inline uint32_t roll_to(const uint8_t *bytes, uint32_t at, uint32_t sum) {
  return (sum << 1) + bytes[at + SUMMED_BYTES - 1];
}

// What the sum of the window at `at` is rolled from.
static inline uint32_t sum_before(const uint8_t *bytes, uint32_t at) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < SUMMED_BYTES - 1; i += 1) sum = (sum << 1) + bytes[at + i];
  return sum;
}

static inline int is_sum_right(uint32_t sum, struct sampler sampler) {
  return (uint8_t)(HIGHEST_SUM - sum) < sampler.sums;
}

static inline uint32_t is_second_right(const uint8_t *window, struct sampler sampler) {
  uint64_t product = load_word(window + SECOND_WORD_AT) * SECOND_MULTIPLIER;
  return product >> (32 - sampler.second_bits) == 0;
}

// The raw anchors among the windows that start in [from, to), ascending, go to `anchors`; returns their number.
static uint32_t sample_slowly(const uint8_t *bytes, uint32_t from, uint32_t to, struct sampler sampler,
                              uint32_t *anchors) {
  if (from == to) return 0;
  uint32_t sum = sum_before(bytes, from);
  uint32_t count = 0;
  for (uint32_t at = from; at < to; at += 1) {
    sum = roll_to(bytes, at, sum);
    if (is_sum_right(sum, sampler) && is_second_right(bytes + at, sampler)) anchors[count++] = at;
  }
  return count;
}

// The window with the highest rank, the last of equal ones, among those that start in [from, to), at least one.
static uint32_t highest_window(const uint8_t *bytes, uint32_t from, uint32_t to) {
  uint32_t highest = from;
  uint32_t highest_rank = 0;
  for (uint32_t at = from; at < to; at += 1) {
    uint32_t rank = ((load_word(bytes + at) * SECOND_MULTIPLIER) ^ load_word(bytes + at + 4)) * RANK_MULTIPLIER;
    if (rank < highest_rank) continue;
    highest = at;
    highest_rank = rank;
  }
  return highest;
}

#ifdef __wasm_simd128__
// A block is what 16 neighbouring places have of something, a byte each; a block `moved` by n is that of the 16 places n
// before, taken from the block and the one before it.
#define MOVED_2(before, block) \
  wasm_i8x16_shuffle(before, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
#define MOVED_4(before, block) \
  wasm_i8x16_shuffle(before, block, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)

static inline v128_t doubled(v128_t block) {
  v128_t same = block;
#ifdef __wasm__
  // Hides that they are the same: an addition is one instruction, the shift that it would become is four.
  __asm__("" : "+r"(same));
#endif
  return wasm_i8x16_add(block, same);
}

// The sums over the 2 bytes that end in each of 16 places.
static inline v128_t sums_of_2(const uint8_t *ends) {
  return wasm_i8x16_add(doubled(wasm_v128_load(ends - 1)), wasm_v128_load(ends));
}

// Sums over 4 and 8 bytes are two of half as many, the first of them shifted.
static inline v128_t sums_of_4(v128_t before_of_2, v128_t of_2) {
  return wasm_i8x16_add(doubled(doubled(MOVED_2(before_of_2, of_2))), of_2);
}

static inline v128_t sums_of_8(v128_t before_of_4, v128_t of_4) {
  v128_t shifted = wasm_i16x8_shl(MOVED_4(before_of_4, of_4), 4);
  return wasm_i8x16_add(wasm_v128_and(shifted, wasm_i8x16_splat((int8_t)0xf0)), of_4);
}

// One bit for each of 16 sums: 1 where it is right. Bytes with a sign are what there is an instruction to compare for.
static inline uint32_t right_sums(v128_t sums, v128_t limit) {
  v128_t below_highest = wasm_i8x16_sub(wasm_i8x16_splat((int8_t)(HIGHEST_SUM - 128)), sums);
  return wasm_i8x16_bitmask(wasm_i8x16_lt(below_highest, limit));
}

// What the sums of the 16 windows before the next ones leave behind.
struct sums {
  v128_t of_2;
  v128_t of_4;
};

// One bit for each of the 16 windows whose first bytes end at `ends`: 1 where its sum is right. Three steps for 16
// windows instead of eight for each.
static inline uint32_t right_windows(const uint8_t *ends, struct sums *before, v128_t limit) {
  v128_t of_2 = sums_of_2(ends);
  v128_t of_4 = sums_of_4(before->of_2, of_2);
  uint32_t right = right_sums(sums_of_8(before->of_4, of_4), limit);
  *before = (struct sums){of_2, of_4};
  return right;
}

// Windows are sampled 64 at a time; returns the number of anchors, and in `rest` where it stopped.
static uint32_t sample_quickly(const uint8_t *bytes, uint32_t from, uint32_t to, struct sampler sampler,
                               uint32_t *anchors, uint32_t *rest) {
  *rest = from;
  if (to - from < 64) return 0;
  v128_t limit = wasm_i8x16_splat((int8_t)(sampler.sums - 128));
  const uint8_t *ends = bytes + SUMMED_BYTES - 1;
  // Of what comes before the first block only the last places count, and those start in the first window.
  uint8_t pairs[16] = {0};
  for (uint32_t i = 0; i < 6; i += 1) pairs[10 + i] = (uint8_t)(2 * bytes[from + i] + bytes[from + i + 1]);
  v128_t of_2 = wasm_v128_load(pairs);
  struct sums sums = {of_2, sums_of_4(of_2, of_2)};
  uint32_t count = 0;
  uint32_t at = from;
  for (; to - at >= 64; at += 64) {
    uint32_t low = right_windows(ends + at, &sums, limit);
    low |= right_windows(ends + at + 16, &sums, limit) << 16;
    uint32_t high = right_windows(ends + at + 32, &sums, limit);
    high |= right_windows(ends + at + 48, &sums, limit) << 16;
    uint64_t found = low | (uint64_t)high << 32;
    // In random bytes one time in four has one, which no processor can foresee: so the first is put down in any case, and
    // counted where there is one. The highest bit is what `ctz` finds where there is none.
    anchors[count] = at + (uint32_t)__builtin_ctzll(found | 1ull << 63);
    count += (found != 0) & is_second_right(bytes + anchors[count], sampler);
    for (found &= found - 1; found != 0; found &= found - 1) {
      anchors[count] = at + (uint32_t)__builtin_ctzll(found);
      count += is_second_right(bytes + anchors[count], sampler);
    }
  }
  *rest = at;
  return count;
}
#else
static uint32_t sample_quickly(const uint8_t *bytes, uint32_t from, uint32_t to, struct sampler sampler,
                               uint32_t *anchors, uint32_t *rest) {
  *rest = to;
  return sample_slowly(bytes, from, to, sampler, anchors);
}
#endif

// The starts of the raw anchors among the windows that start in [from, to), ascending, go to core->anchors; returns their
// number. Reads up to `to + WINDOW_BYTES - 1`.
static uint32_t sample_anchors(const struct core *core, uint32_t from, uint32_t to) {
  struct sampler sampler = sampler_of(core);
  uint32_t rest;
  uint32_t count = sample_quickly(core->segment, from, to, sampler, core->anchors, &rest);
  return count + sample_slowly(core->segment, rest, to, sampler, core->anchors + count);
}
