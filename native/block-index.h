// Finding the blocks of a signature by their sums. Sorted, not hashed: however its sums are chosen, a signature can make
// no search longer than the logarithm of its size.
#pragma once

#include "block-sums.h"

#define KEY_BITS 32
#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)

// Reversible, so that equal keys are equal weak sums; and the top bits depend on all others.
static inline uint32_t scramble(uint32_t weak) {
  weak ^= weak >> 16;
  return weak * 0x9e3779b1u;
}

static inline const uint8_t *entry_of(const struct block_index *index, uint32_t block) {
  return index->entries + (uintptr_t)block * (WEAK_BYTES + index->kind.strong_bytes);
}

// Below, at or above 0, as the strong sum of the block is below, equal to or above `strong`.
static int compare_strong(const struct block_index *index, uint32_t block, const uint8_t *strong) {
  const uint8_t *own = entry_of(index, block) + WEAK_BYTES;
  for (uint32_t n = 0; n < index->kind.strong_bytes; n += 1) {
    if (own[n] != strong[n]) return own[n] < strong[n] ? -1 : 1;
  }
  return 0;
}

static inline int same_strong(const struct block_index *index, uint32_t a, uint32_t b) {
  return compare_strong(index, a, entry_of(index, b) + WEAK_BYTES) == 0;
}

// Sorts by one digit of the keys; equal ones keep their order.
static void sort_by_digit(uint32_t count, uint32_t shift, const uint32_t *keys, const uint32_t *numbers,
                          uint32_t *sorted_keys, uint32_t *sorted_numbers) {
  uint32_t places[DIGITS] = {0};
  for (uint32_t n = 0; n < count; n += 1) places[(keys[n] >> shift) % DIGITS] += 1;
  uint32_t below = 0;
  for (uint32_t digit = 0; digit < DIGITS; digit += 1) {
    uint32_t these = places[digit];
    places[digit] = below;
    below += these;
  }
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t place = places[(keys[n] >> shift) % DIGITS]++;
    sorted_keys[place] = keys[n];
    sorted_numbers[place] = numbers[n];
  }
}

static void sort_by_key(struct block_index *index) {
  uint32_t *keys = index->scratch;
  uint32_t *numbers = index->scratch + index->blocks;
  for (uint32_t shift = 0; shift < KEY_BITS; shift += 2 * DIGIT_BITS) {
    sort_by_digit(index->blocks, shift, index->keys, index->numbers, keys, numbers);
    sort_by_digit(index->blocks, shift + DIGIT_BITS, keys, numbers, index->keys, index->numbers);
  }
}

// Whether block a belongs before block b: by strong sum, then by number.
static int is_before(const struct block_index *index, uint32_t a, uint32_t b) {
  int order = compare_strong(index, a, entry_of(index, b) + WEAK_BYTES);
  return order < 0 || (order == 0 && a < b);
}

static void sift_down(const struct block_index *index, uint32_t *heap, uint32_t at, uint32_t count) {
  for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
    if (child + 1 < count && is_before(index, heap[child], heap[child + 1])) child += 1;
    if (!is_before(index, heap[at], heap[child])) return;
    uint32_t moved = heap[at];
    heap[at] = heap[child];
    heap[child] = moved;
  }
}

// Heapsort, because no input makes it slow.
static void sort_by_strong(const struct block_index *index, uint32_t *numbers, uint32_t count) {
  for (uint32_t at = count / 2; at > 0; at -= 1) sift_down(index, numbers, at - 1, count);
  for (uint32_t last = count; last > 1; last -= 1) {
    uint32_t highest = numbers[0];
    numbers[0] = numbers[last - 1];
    numbers[last - 1] = highest;
    sift_down(index, numbers, 0, last - 1);
  }
}

// Drops what has the strong sum of the number before it; returns how many are left.
static uint32_t drop_repeats(const struct block_index *index, uint32_t *numbers, uint32_t count) {
  uint32_t kept = 1;
  for (uint32_t n = 1; n < count; n += 1) {
    if (!same_strong(index, numbers[n], numbers[kept - 1])) numbers[kept++] = numbers[n];
  }
  return kept;
}

// Brings the blocks with the same key into order, and keeps the first of those with the same strong sum.
static uint32_t order_group(const struct block_index *index, uint32_t *numbers, uint32_t count) {
  // Most groups are one block, again and again.
  count = drop_repeats(index, numbers, count);
  if (count == 1) return 1;
  sort_by_strong(index, numbers, count);
  return drop_repeats(index, numbers, count);
}

static void order_groups(struct block_index *index) {
  uint32_t kept = 0;
  for (uint32_t start = 0, end; start < index->blocks; start = end) {
    uint32_t key = index->keys[start];
    for (end = start + 1; end < index->blocks && index->keys[end] == key;) end += 1;
    uint32_t count = order_group(index, index->numbers + start, end - start);
    for (uint32_t n = 0; n < count; n += 1, kept += 1) {
      index->keys[kept] = key;
      index->numbers[kept] = index->numbers[start + n];
    }
  }
  index->found = kept;
}

static inline void set_bit(uint8_t *filter, uint32_t bits, uint32_t key) {
  uint32_t bit = key >> (KEY_BITS - bits);
  filter[bit / 8] |= (uint8_t)(1 << bit % 8);
}

// 1 where a filter has a key with these top bits, else 0.
static inline uint32_t has_bit(const uint8_t *filter, uint32_t bits, uint32_t key) {
  uint32_t bit = key >> (KEY_BITS - bits);
  return filter[bit / 8] >> bit % 8 & 1;
}

static void fill_filters(struct block_index *index) {
  __builtin_memset(index->fine, 0, (uintptr_t)1 << (index->fine_bits - 3));
  __builtin_memset(index->coarse, 0, (uintptr_t)1 << (index->coarse_bits - 3));
  for (uint32_t n = 0; n < index->found; n += 1) {
    set_bit(index->fine, index->fine_bits, index->keys[n]);
    set_bit(index->coarse, index->coarse_bits, index->keys[n]);
  }
}

static void fill_starts(struct block_index *index) {
  uint32_t next = 0;
  for (uint32_t n = 0; n < index->found; n += 1) {
    uint32_t start = index->keys[n] >> (KEY_BITS - index->start_bits);
    while (next <= start) index->starts[next++] = n;
  }
  while (next <= 1u << index->start_bits) index->starts[next++] = index->found;
}

static inline uint32_t key_of(const struct block_index *index, uint32_t block) {
  uint32_t weak;
  __builtin_memcpy(&weak, entry_of(index, block), WEAK_BYTES);
  return scramble(__builtin_bswap32(weak));
}

static void build_index(struct block_index *index) {
  for (uint32_t block = 0; block < index->blocks; block += 1) {
    index->keys[block] = key_of(index, block);
    index->numbers[block] = block;
  }
  sort_by_key(index);
  order_groups(index);
  fill_starts(index);
  fill_filters(index);
}

// The place of the first key that is not below `key`.
static uint32_t place_of(const struct block_index *index, uint32_t key) {
  uint32_t start = key >> (KEY_BITS - index->start_bits);
  uint32_t low = index->starts[start];
  uint32_t high = index->starts[start + 1];
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (index->keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

static inline int has_key(const struct block_index *index, uint32_t key) {
  if (!has_bit(index->fine, index->fine_bits, key)) return 0;
  uint32_t place = place_of(index, key);
  return place < index->found && index->keys[place] == key;
}

#define NO_BLOCK UINT32_MAX

// The first block with that key and that strong sum, or NO_BLOCK.
static uint32_t find_block(const struct block_index *index, uint32_t key, const uint8_t *strong) {
  uint32_t low = place_of(index, key);
  uint32_t high = low;
  // The end of the group: doubling steps, then halving ones.
  for (uint32_t step = 1; high < index->found && index->keys[high] == key; step *= 2) {
    high = index->found - high < step ? index->found : high + step;
  }
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    int order = index->keys[middle] == key ? compare_strong(index, index->numbers[middle], strong) : 1;
    if (order == 0) return index->numbers[middle];
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return NO_BLOCK;
}
