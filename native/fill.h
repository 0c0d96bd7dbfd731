// Short copies in the gaps between those that hold an anchor (docs/delta-algorithm.md, step 3).
#pragma once

#include "abi.h"
#include "pages.h"

// How far past the last equal bytes of a diagonal the next ones are looked for.
#define REACH_BYTES 256
// Fewer equal bytes are not worth the two commands that a copy between literals takes.
#define FILL_MIN_BYTES 10
// The same where the copy's offset takes eight bytes instead of four.
#define FAR_FILL_MIN_BYTES 14
#define FAR_POSITION (1ll << 32)

#define NOWHERE UINT32_MAX

_Static_assert(REACH_BYTES + FAR_FILL_MIN_BYTES <= PAGE_OVERLAP_BYTES, "a search reads one page");

static inline uint32_t fill_least(int64_t position) {
  return position < FAR_POSITION ? FILL_MIN_BYTES : FAR_FILL_MIN_BYTES;
}

static inline uint32_t put_copy(const struct core *core, uint32_t count, uint32_t start, uint32_t end, int64_t diagonal) {
  core->filled.starts[count] = start;
  core->filled.lengths[count] = end - start;
  core->filled.positions[count] = (double)(start + diagonal);
  return count + 1;
}

// The lowest place in reach of `from` where at least `least` bytes before `to` are equal, or NOWHERE.
static uint32_t first_equal(const struct core *core, uint32_t from, uint32_t to, int64_t diagonal, uint32_t least) {
  int64_t position = from + diagonal;
  int64_t span = REACH_BYTES + least;
  if (to - from < span) span = to - from;
  if ((int64_t)core->base_bytes - position < span) span = (int64_t)core->base_bytes - position;
  if (span < least) return NOWHERE;
  const uint8_t *target = core->segment + from;
  const uint8_t *base = locate(core, position);
  // No equal stretch starts before `start`: so look at the last byte that one from there must have, and go back.
  for (uint32_t start = 0; start + least <= span;) {
    uint32_t at = start + least;
    while (at > start && target[at - 1] == base[at - 1]) at -= 1;
    if (at == start) return from + start;
    start = at;
  }
  return NOWHERE;
}

// The highest place in reach of `to` before which at least `least` bytes from `from` on are equal, or NOWHERE.
static uint32_t last_equal(const struct core *core, uint32_t from, uint32_t to, int64_t diagonal, uint32_t least) {
  int64_t span = REACH_BYTES + least;
  if (to - from < span) span = to - from;
  if (to + diagonal < span) span = to + diagonal;
  if (span < least) return NOWHERE;
  uint32_t first = to - (uint32_t)span;
  const uint8_t *target = core->segment + first;
  const uint8_t *base = locate(core, first + diagonal);
  for (uint32_t end = (uint32_t)span; end >= least;) {
    uint32_t at = end - least;
    while (at < end && target[at] == base[at]) at += 1;
    if (at == end) return first + end;
    end = at;
  }
  return NOWHERE;
}

// Puts out copies on the diagonal of the copy before the gap [from, to); returns the number of copies, and in `rest`
// where the rest of the gap starts.
static uint32_t fill_forward(const struct core *core, uint32_t count, uint32_t from, uint32_t to, int64_t diagonal,
                             uint32_t *rest) {
  uint32_t least = fill_least(from + diagonal);
  uint32_t gap_start = from;
  for (;;) {
    uint32_t start = first_equal(core, gap_start, to, diagonal, least);
    if (start == NOWHERE) break;
    uint32_t known = start + least;
    gap_start = known + equal_after(core, known, known + diagonal, to - known);
    count = put_copy(core, count, start, gap_start, diagonal);
  }
  *rest = gap_start;
  return count;
}

// Puts out copies on the diagonal of the copy after the gap [from, to); returns the number of copies.
static uint32_t fill_backward(const struct core *core, uint32_t count, uint32_t from, uint32_t to, int64_t diagonal) {
  uint32_t least = fill_least(to + diagonal);
  uint32_t gap_end = to;
  uint32_t found = 0;
  for (;;) {
    uint32_t end = last_equal(core, from, gap_end, diagonal, least);
    if (end == NOWHERE) break;
    uint32_t known = end - least;
    gap_end = known - equal_before(core, known, known + diagonal, known - from);
    core->found[found++] = gap_end;
    core->found[found++] = end;
  }
  // They were found from the end on.
  for (; found > 0; found -= 2) {
    count = put_copy(core, count, core->found[found - 2], core->found[found - 1], diagonal);
  }
  return count;
}

// Fills core->filled with the first `count` matched copies and those between them; returns their number.
static uint32_t fill_gaps(const struct core *core, uint32_t count, int64_t segment_start, uint32_t length) {
  uint32_t filled = 0;
  uint32_t end = 0;
  uint32_t rest;
  int64_t diagonal = segment_start;
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t start = core->matched.starts[n];
    filled = fill_forward(core, filled, end, start, diagonal, &rest);
    diagonal = (int64_t)core->matched.positions[n] - start;
    filled = fill_backward(core, filled, rest, start, diagonal);
    end = start + core->matched.lengths[n];
    filled = put_copy(core, filled, start, end, diagonal);
  }
  return fill_forward(core, filled, end, length, diagonal, &rest);
}
