// A base, and a target that was made of it by edits, or that has nothing to do with it.
#pragma once

#include "choices.h"
#include "text.h"

struct pair {
  struct text base;
  struct text target;
};

enum content { RANDOM, CONSTANT, PERIODIC, DENSE, WORDS, NEAR_DUPLICATES, CONTENTS };
enum edit { INSERT, DELETE, OVERWRITE, MOVE, REPEAT, RUN, SPRINKLE, FLIP, EDITS };

#define PERIOD_MAX 300
#define EDITS_MAX 16
#define PIECES_MAX 6

static inline void repeat_bytes(uint8_t *bytes, uint32_t size, uint32_t period) {
  for (uint32_t at = period; at < size; at += 1) bytes[at] = bytes[at - period];
}

// Blocks that are the same but for one byte each.
static inline void near_duplicates(struct choices *choices, uint8_t *bytes, uint32_t size) {
  uint32_t block = 16 + choose_size(choices, 4096);
  choose_bytes(choices, bytes, block < size ? block : size);
  repeat_bytes(bytes, size, block);
  uint64_t state = choose(choices, 256);
  for (uint32_t start = 0; start < size; start += block) {
    uint64_t number = next_number(&state);
    uint32_t at = start + (uint32_t)(number >> 40) % block;
    if (at < size) bytes[at] ^= (uint8_t)(number | 1);
  }
}

// A few words in any order.
static inline void words(struct choices *choices, uint8_t *bytes, uint32_t size) {
  uint8_t letters[64];
  choose_bytes(choices, letters, sizeof letters);
  uint64_t state = choose(choices, 256);
  for (uint32_t at = 0; at < size;) {
    uint64_t number = next_number(&state);
    uint32_t from = (uint32_t)number % 48;
    for (uint32_t left = 1 + (number >> 32) % 16; left > 0 && at < size; left -= 1) bytes[at++] = letters[from++];
  }
}

static inline void insert_content(struct choices *choices, struct text *text, uint32_t at, uint32_t size) {
  uint8_t *bytes = open_text(text, at, size);
  switch ((enum content)choose(choices, CONTENTS)) {
    case CONSTANT:
      if (size > 0) memset(bytes, (int)choose(choices, 3), size);
      break;
    case PERIODIC: {
      uint32_t period = 1 + choose_size(choices, PERIOD_MAX);
      choose_bytes(choices, bytes, period < size ? period : size);
      repeat_bytes(bytes, size, period);
      break;
    }
    case DENSE:
      // Each position is a raw anchor, but where hardly any is.
      for (uint32_t n = 0; n < size; n += 1) bytes[n] = n % 3 == 2 ? 0xeb : 0x92;
      break;
    case WORDS:
      words(choices, bytes, size);
      break;
    case NEAR_DUPLICATES:
      near_duplicates(choices, bytes, size);
      break;
    default:
      choose_bytes(choices, bytes, size);
  }
}

// Changes bytes in [at, at + size), up to 60 bytes apart, so that what stays equal is about as long as a copy must be.
static inline void sprinkle(struct choices *choices, uint8_t *bytes, uint32_t size) {
  uint32_t apart = 1 + choose(choices, 60);
  uint64_t state = choose(choices, 256);
  for (uint32_t at = 0; at < size; at += 1 + (uint32_t)next_number(&state) % apart) bytes[at] ^= 0x5a;
}

// A copy of [from, from + size) of the text goes to where it is [to, to + size) then.
static inline void repeat_range(struct text *text, uint32_t from, uint32_t size, uint32_t to) {
  uint8_t *range = exact_copy(text->bytes + from, size);
  uint8_t *hole = open_text(text, to, size);
  if (size > 0) memcpy(hole, range, size);
  free(range);
}

static inline void edit(struct choices *choices, struct text *text, uint32_t most_bytes) {
  enum edit kind = choose(choices, EDITS);
  uint32_t at = choose(choices, text->size + 1);
  uint32_t size = choose_size(choices, text->size - at);
  // What makes a text longer than it may be is not done.
  uint32_t more = choose_size(choices, most_bytes - text->size);
  uint32_t to = choose(choices, text->size + 1);
  switch (kind) {
    case DELETE:
      close_text(text, at, size);
      break;
    case OVERWRITE:
      close_text(text, at, size);
      insert_content(choices, text, at, size);
      break;
    case MOVE: {
      if (to > text->size - size) to = text->size - size;
      uint8_t *moved = exact_copy(text->bytes + at, size);
      close_text(text, at, size);
      uint8_t *hole = open_text(text, to, size);
      if (size > 0) memcpy(hole, moved, size);
      free(moved);
      break;
    }
    case REPEAT:
      repeat_range(text, at, size < more ? size : more, to);
      break;
    case RUN: {
      uint8_t *hole = open_text(text, at, more);
      if (more > 0) memset(hole, (int)choose(choices, 3), more);
      break;
    }
    case SPRINKLE:
      if (size > 0) sprinkle(choices, text->bytes + at, size);
      break;
    case FLIP:
      if (at < text->size) text->bytes[at] ^= (uint8_t)(1 + choose(choices, 255));
      break;
    default:
      insert_content(choices, text, at, more);
  }
}

// A pair of at most `most_bytes` bytes each; free_pair frees it.
static inline struct pair choose_pair(struct choices *choices, uint32_t most_bytes) {
  struct pair pair = {0};
  for (uint32_t pieces = 1 + choose(choices, PIECES_MAX); pieces > 0; pieces -= 1) {
    insert_content(choices, &pair.base, pair.base.size, choose_size(choices, most_bytes - pair.base.size));
  }
  // One in eight starts from nothing.
  uint32_t same = choose(choices, 8) == 7 ? 0 : pair.base.size;
  memcpy(open_text(&pair.target, 0, same), pair.base.bytes, same);
  for (uint32_t edits = choose(choices, EDITS_MAX); edits > 0; edits -= 1) edit(choices, &pair.target, most_bytes);
  return pair;
}

static inline void free_pair(struct pair *pair) {
  free_text(&pair->base);
  free_text(&pair->target);
}
