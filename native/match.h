// Copies that hold an anchor (docs/delta-algorithm.md, step 2). A diagonal is a position in the base minus the place in
// the segment that is copied from there.
#pragma once

#include "abi.h"
#include "pages.h"
#include "table.h"
#include "walk.h"

// A longer copy is left alone when a later one covers it.
#define SWALLOW_MAX_BYTES 4096
// From this length on a copy's diagonal is remembered over shorter copies from elsewhere.
#define LONG_COPY_BYTES 512
// The first batch after a copy; while nothing matches the next ones grow. It does not change the result.
#define FIRST_BATCH_WINDOWS 1024

// The work on one segment.
struct matcher {
  struct core *core;
  uint32_t length;
  // Copies so far, and where the last one ends.
  uint32_t count;
  uint32_t end;
  // Diagonals of the last copy and of the last long one.
  int64_t diagonal;
  int64_t long_diagonal;
  struct walk walk;
};

// Whether the window at `at` lies in the segment, that at `position` in the base, and they are equal.
static int window_equal(const struct matcher *matcher, uint32_t at, int64_t position) {
  const struct core *core = matcher->core;
  if (at + WINDOW_BYTES > matcher->length) return 0;
  if (position < 0 || position + WINDOW_BYTES > (int64_t)core->base_bytes) return 0;
  return windows_equal(core->segment + at, locate(core, position));
}

// Where the copy starts that holds the byte at `at`; short copies before it that it covers whole are dropped.
static uint32_t extend_backward(struct matcher *matcher, uint32_t at, int64_t diagonal) {
  const struct core *core = matcher->core;
  const struct copies *copies = &core->matched;
  uint32_t start = at;
  for (;;) {
    start -= equal_before(core, start, start + diagonal, start - matcher->end);
    if (start > matcher->end || matcher->count == 0) return start;
    uint32_t length = copies->lengths[matcher->count - 1];
    if (length > SWALLOW_MAX_BYTES) return start;
    if (equal_before(core, start, start + diagonal, length) < length) return start;
    start -= length;
    matcher->count -= 1;
    uint32_t before = matcher->count - 1;
    matcher->end = matcher->count == 0 ? 0 : copies->starts[before] + copies->lengths[before];
  }
}

// Makes the copy that holds the equal windows at `at` and `position`, as long as it gets both ways.
static void extend(struct matcher *matcher, uint32_t at, int64_t position) {
  const struct copies *copies = &matcher->core->matched;
  int64_t diagonal = position - at;
  uint32_t window_end = at + WINDOW_BYTES;
  uint32_t rest = matcher->length - window_end;
  uint32_t end = window_end + equal_after(matcher->core, window_end, position + WINDOW_BYTES, rest);
  uint32_t start = extend_backward(matcher, at, diagonal);
  copies->starts[matcher->count] = start;
  copies->lengths[matcher->count] = end - start;
  copies->positions[matcher->count] = (double)(start + diagonal);
  matcher->count += 1;
  matcher->end = end;
  matcher->diagonal = diagonal;
  if (end - start >= LONG_COPY_BYTES) matcher->long_diagonal = diagonal;
}

// Takes the window from a diagonal that was in use when it is equal there, else from the table's candidate.
static void match_anchor(struct matcher *matcher, uint32_t at, int64_t candidate) {
  int64_t on_diagonal = at + matcher->diagonal;
  int64_t on_long_diagonal = at + matcher->long_diagonal;
  if (window_equal(matcher, at, on_diagonal)) {
    extend(matcher, at, on_diagonal);
  } else if (on_long_diagonal != on_diagonal && window_equal(matcher, at, on_long_diagonal)) {
    extend(matcher, at, on_long_diagonal);
  } else if (window_equal(matcher, at, candidate)) {
    extend(matcher, at, candidate);
  }
}

static void match_batch(struct matcher *matcher, uint32_t from, uint32_t to) {
  struct core *core = matcher->core;
  uint32_t count = key_batch(core, &matcher->walk, matcher->end, from, to);
  for (uint32_t n = 0; n < count; n += 1) {
    const struct key *key = &core->keys[n];
    if (key->start < matcher->end) continue;
    int64_t candidate = find_key(core, key);
    if (candidate >= 0) match_anchor(matcher, key->start, candidate);
  }
}

// Fills core->matched and returns the number of copies.
static uint32_t match_anchors(struct core *core, int64_t segment_start, uint32_t length) {
  uint32_t windows = length < WINDOW_BYTES ? 0 : length - WINDOW_BYTES + 1;
  struct matcher matcher = {core, length, 0, 0, segment_start, segment_start, {windows, 0, 0}};
  if (window_equal(&matcher, 0, segment_start)) extend(&matcher, 0, segment_start);
  uint32_t first = core->batch_windows < FIRST_BATCH_WINDOWS ? core->batch_windows : FIRST_BATCH_WINDOWS;
  uint32_t size = first;
  for (uint32_t from = matcher.end; from < windows;) {
    uint32_t to = batch_end(core, &matcher.walk, from, size);
    match_batch(&matcher, from, to);
    size = matcher.end > from ? first : 2 * size;
    if (size > core->batch_windows) size = core->batch_windows;
    from = matcher.end > to ? matcher.end : to;
  }
  return matcher.count;
}
