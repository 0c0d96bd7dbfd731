// Finding the blocks of a signature in a text: at each place the weak sum of the next block_bytes bytes, and where the
// index has it, the strong sum.
#pragma once

#include "block-index.h"
#include "rolling-sum.h"

#define BATCH_FIRST 1
#define BATCH_MAX 1024

static inline uint32_t block_bytes(const struct search *search) { return search->index->kind.block_bytes; }

static inline uint32_t sum_at(const struct search *search, uint32_t at, uint32_t length) {
  return weak_sum(&search->index->kind, search->text + at, length);
}

// Whether a block with that key may be looked for. Once too many strong sums were in vain, which happens only where it
// was meant to happen, just the block that would continue the last run is.
static int is_worth(const struct search *search, uint32_t key) {
  if (!has_key(search->index, key)) return 0;
  if (search->patience > 0) return 1;
  return search->next_block < search->index->blocks && key_of(search->index, search->next_block) == key;
}

static void lose_patience(struct search *search) {
  if (search->patience <= 0) search->next_block = NO_BLOCK;
  search->patience -= block_bytes(search);
}

// The block to copy from: that which continues the last run, if it has these sums, else the first that has them.
static uint32_t choose_block(const struct search *search, uint32_t key, const uint8_t *strong) {
  uint32_t next = search->next_block;
  int continues = next < search->index->blocks && key_of(search->index, next) == key &&
                  compare_strong(search->index, next, strong) == 0;
  return continues ? next : find_block(search->index, key, strong);
}

// Adds `length` bytes at `at` that equal `block` to the first `count` runs; returns how many there are then.
static uint32_t put_run(struct search *search, uint32_t count, uint32_t at, uint32_t length, uint32_t block) {
  int continues = block == search->next_block;
  search->next_block = block + 1;
  if (count > 0 && continues) {
    struct run *last = &search->runs[count - 1];
    if (last->start + last->length == at) {
      last->length += length;
      return count;
    }
  }
  search->runs[count] = (struct run){.start = at, .length = length, .block = block};
  return count + 1;
}

// Keys of a few places, and those of them that pass the filter. In three loops, each without a branch that depends on
// what it reads, so that the processor need not wait for one look-up to begin the next.
struct batch {
  uint32_t keys[BATCH_MAX];
  uint32_t passed[BATCH_MAX];
};

// Stores the keys of `count` places from `at` on, all before `end`; `sum` is the weak sum at the first one. Returns that
// of the place behind them, if it is before `end`.
static inline uint32_t fill_keys(const struct search *search, const struct roller *roller, enum weak_kind kind,
                                 uint32_t sum, uint32_t at, uint32_t count, uint32_t end, uint32_t *keys) {
  const uint8_t *first = search->text + at;
  const uint8_t *behind = first + roller->length;
  // Behind the last window of the text nothing comes in.
  uint32_t rolls = at + count < end ? count : count - 1;
  for (uint32_t n = 0; n < rolls; n += 1) {
    keys[n] = sum;
    sum = roll(kind, roller, sum, first[n], behind[n]);
  }
  if (rolls < count) keys[rolls] = sum;
  for (uint32_t n = 0; n < count; n += 1) keys[n] = scramble(keys[n]);
  return sum;
}

// Keeps the places whose keys both filters have; returns how many these are.
static inline uint32_t pass_filters(const struct block_index *index, uint32_t count, struct batch *batch) {
  uint32_t passed = 0;
  for (uint32_t n = 0; n < count; n += 1) {
    batch->passed[passed] = n;
    passed += has_bit(index->coarse, index->coarse_bits, batch->keys[n]);
  }
  uint32_t kept = 0;
  for (uint32_t n = 0; n < passed; n += 1) {
    uint32_t place = batch->passed[n];
    batch->passed[kept] = place;
    kept += has_bit(index->fine, index->fine_bits, batch->keys[place]);
  }
  return kept;
}

// The first place from `at` to before `end` at which a block may lie, or `end`.
static inline uint32_t next_place(const struct search *search, uint32_t at, uint32_t end, enum weak_kind kind) {
  const struct roller roller = make_roller(block_bytes(search));
  struct batch batch;
  uint32_t sum = sum_at(search, at, roller.length);
  // Mostly a block follows the last one, or the next is far.
  for (uint32_t size = BATCH_FIRST; at < end; size = size * 2 < BATCH_MAX ? size * 2 : BATCH_MAX) {
    uint32_t count = end - at < size ? end - at : size;
    sum = fill_keys(search, &roller, kind, sum, at, count, end, batch.keys);
    uint32_t passed = pass_filters(search->index, count, &batch);
    for (uint32_t n = 0; n < passed; n += 1) {
      if (is_worth(search, batch.keys[batch.passed[n]])) return at + batch.passed[n];
    }
    at += count;
  }
  return end;
}

// Blocks from `at` on, one behind the other, that are worth a strong sum: the first one is; at most as many as lanes.
static uint32_t promising_blocks(const struct search *search, uint32_t at) {
  uint32_t length = block_bytes(search);
  uint32_t lanes = strong_lanes(&search->index->kind);
  uint32_t count = 1;
  if (search->patience <= 0) return count;
  for (uint32_t next = at + length; count < lanes && search->length - next >= length; next += length) {
    if (!has_key(search->index, scramble(sum_at(search, next, length)))) break;
    count += 1;
  }
  return count;
}

// Puts out the blocks that lie at search->at, one behind the other, and goes on behind them.
static uint32_t take_blocks(struct search *search, uint32_t count) {
  uint32_t length = block_bytes(search);
  uint32_t blocks = promising_blocks(search, search->at);
  uint8_t sums[LANES_MAX][STRONG_MAX_BYTES];
  strong_sums(&search->index->kind, search->text + search->at, blocks, length, sums);
  for (uint32_t n = 0; n < blocks && count < search->max_runs; n += 1) {
    uint32_t block = choose_block(search, scramble(sum_at(search, search->at, length)), sums[n]);
    if (block == NO_BLOCK) {
      lose_patience(search);
      search->at += 1;
      break;
    }
    count = put_run(search, count, search->at, length, block);
    search->at += length;
  }
  return count;
}

// Looks for a block that is all that is left of the text from some place on: the signature's last one may be short.
static uint32_t take_rest(struct search *search, uint32_t count) {
  const struct signature_kind *kind = &search->index->kind;
  struct roller roller = make_roller(search->length - search->at);
  uint32_t sum = sum_at(search, search->at, roller.length);
  for (; search->at < search->length; search->at += 1) {
    uint32_t key = scramble(sum);
    if (is_worth(search, key)) {
      uint8_t sums[LANES_MAX][STRONG_MAX_BYTES];
      strong_sums(kind, search->text + search->at, 1, roller.length, sums);
      uint32_t block = choose_block(search, key, sums[0]);
      if (block != NO_BLOCK) {
        count = put_run(search, count, search->at, roller.length, block);
        search->at = search->length;
        break;
      }
      lose_patience(search);
    }
    sum = shrink(kind->weak, &roller, sum, search->text[search->at]);
  }
  return count;
}

static uint32_t search_text(struct search *search) {
  uint32_t length = block_bytes(search);
  uint32_t count = 0;
  while (search->length - search->at >= length) {
    if (count == search->max_runs) return count;
    uint32_t end = search->length - length + 1;
    search->at = search->index->kind.weak == RABIN_KARP ? next_place(search, search->at, end, RABIN_KARP)
                                                        : next_place(search, search->at, end, ROLLSUM);
    if (search->at < end) count = take_blocks(search, count);
  }
  if (search->final && search->at < search->length && count < search->max_runs) count = take_rest(search, count);
  return count;
}
