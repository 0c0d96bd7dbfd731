// Joins encoded segments to a delta, as src/delta/segment-joiner.ts does: a copy that goes on across a border becomes
// one command.
#pragma once

#include "../abi.h"
#include "text.h"

struct joiner {
  struct text delta;
  int64_t position;
  int64_t length;
};

static inline void put_bytes(struct joiner *joiner, const void *bytes, uint32_t size) {
  uint8_t *hole = open_text(&joiner->delta, joiner->delta.size, size);
  if (size > 0) memcpy(hole, bytes, size);
}

// log2 of the width that a number takes.
static inline uint32_t width_of(uint64_t value) { return value >> 32 ? 3 : value >> 16 ? 2 : value >> 8 ? 1 : 0; }

static inline void put_number(struct joiner *joiner, uint64_t value, uint32_t width) {
  for (uint32_t left = 8u << width; left > 0; left -= 8) {
    uint8_t byte = (uint8_t)(value >> (left - 8));
    put_bytes(joiner, &byte, 1);
  }
}

static inline void put_pending(struct joiner *joiner) {
  if (joiner->length == 0) return;
  uint32_t position_width = width_of((uint64_t)joiner->position);
  uint32_t length_width = width_of((uint64_t)joiner->length);
  put_number(joiner, 0x45 + 4 * position_width + length_width, 0);
  put_number(joiner, (uint64_t)joiner->position, position_width);
  put_number(joiner, (uint64_t)joiner->length, length_width);
  joiner->length = 0;
}

static inline void join_copy(struct joiner *joiner, double position, double length) {
  if (length == 0) return;
  if (joiner->length > 0 && (int64_t)position == joiner->position + joiner->length) {
    joiner->length += (int64_t)length;
    return;
  }
  put_pending(joiner);
  joiner->position = (int64_t)position;
  joiner->length = (int64_t)length;
}

static inline struct joiner start_join(void) {
  struct joiner joiner = {0};
  put_bytes(&joiner, "rs\x02\x36", 4);
  return joiner;
}

static inline void join_segment(struct joiner *joiner, const struct encoded *segment) {
  join_copy(joiner, segment->lead_position, segment->lead_length);
  if (segment->body_bytes > 0) {
    put_pending(joiner);
    put_bytes(joiner, segment->body, (uint32_t)segment->body_bytes);
  }
  join_copy(joiner, segment->tail_position, segment->tail_length);
}

// Ends the delta, which the caller frees.
static inline struct text end_join(struct joiner *joiner) {
  put_pending(joiner);
  put_bytes(joiner, "", 1);
  return joiner->delta;
}
