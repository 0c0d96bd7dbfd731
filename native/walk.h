// Going through the windows of a segment in batches: which raw anchors are kept, and what a block without any gets
// (docs/delta-algorithm.md, "Anchors").
#pragma once

#include "abi.h"
#include "bytes.h"
#include "key.h"
#include "sample.h"
#include "table.h"

// A raw anchor so many windows after another one, or fewer, is not kept.
#define CLUSTER_WINDOWS 3

// Places in the segment that the walk has got to.
struct walk {
  // Where the segment's windows end.
  uint32_t windows;
  // Behind the last anchor that was kept.
  uint32_t kept_to;
  // Behind the last batch that was not constant.
  uint32_t varied_to;
};

static inline uint32_t block_start(const struct core *core, uint32_t at) {
  uint32_t block_windows = 16u << core->sample_bits;
  return at - at % block_windows;
}

static inline uint32_t block_end(const struct core *core, const struct walk *walk, uint32_t at) {
  uint32_t start = block_start(core, at);
  uint32_t block_windows = 16u << core->sample_bits;
  return walk->windows - start < block_windows ? walk->windows : start + block_windows;
}

// Where a batch from `from` on ends that has at most `size` windows, all of one block.
static uint32_t batch_end(const struct core *core, const struct walk *walk, uint32_t from, uint32_t size) {
  uint32_t end = block_end(core, walk, from);
  return end - from < size ? end : from + size;
}

// Behind the cluster of the last raw anchor before `from`, where that is near. It is sampled anew: how the segment was
// cut until there must not show.
static uint32_t cluster_end(const struct core *core, uint32_t from) {
  uint32_t before[CLUSTER_WINDOWS];
  uint32_t start = from < CLUSTER_WINDOWS ? 0 : from - CLUSTER_WINDOWS;
  uint32_t found = sample_slowly(core->segment, start, from, sampler_of(core), before);
  return found == 0 ? from : before[found - 1] + CLUSTER_WINDOWS + 1;
}

// Leaves out of the first `count` of core->anchors, all the raw ones from `from` on, those that follow another one too
// closely; returns how many are left.
static uint32_t thin_anchors(const struct core *core, uint32_t from, uint32_t count) {
  // What was before matters to the first few windows alone, and seldom is one of them an anchor.
  int starts_near = count > 0 && core->anchors[0] - from < CLUSTER_WINDOWS;
  uint32_t next = starts_near ? cluster_end(core, from) : from;
  uint32_t kept = 0;
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t at = core->anchors[n];
    if (at >= next) core->anchors[kept++] = at;
    next = at + CLUSTER_WINDOWS + 1;
  }
  return kept;
}

// Fills core->keys from the anchors that are kept among the windows in [from, to); returns their number.
static uint32_t key_kept(const struct core *core, struct walk *walk, uint32_t from, uint32_t to) {
  uint32_t read = to - from + WINDOW_BYTES - 1;
  // All windows of a constant stretch have period 1: they are dropped, and none is forced.
  if (constant_bytes(core->segment + from, read) == read) return 0;
  walk->varied_to = to;
  uint32_t count = key_anchors(core, thin_anchors(core, from, sample_anchors(core, from, to)));
  if (count > 0) walk->kept_to = core->keys[count - 1].start + 1;
  return count;
}

// Goes through the windows in [start, end), the first ones of a block, which a copy led the walk over: until one of them
// is kept, which is all there is to know of them.
static void walk_covered(const struct core *core, struct walk *walk, uint32_t start, uint32_t end) {
  for (uint32_t from = start; from < end && walk->kept_to <= start;) {
    uint32_t to = end - from < core->batch_windows ? end : from + core->batch_windows;
    key_kept(core, walk, from, to);
    from = to;
  }
}

// Fills core->keys from the forced anchor of the bare block [from, to); returns how many there are, 0 or 1.
static uint32_t key_forced(const struct core *core, uint32_t from, uint32_t to) {
  uint32_t at = highest_window(core->segment, from, to);
  if (constant_bytes(core->segment + at, WINDOW_BYTES) == WINDOW_BYTES) return 0;
  core->keys[0] = key_window(core, at);
  return 1;
}

// Fills core->keys from the anchors in [from, to), a batch of windows of one block that the walk has got to without a
// break since `copied`, where the last copy ends: from those that are kept, or, where the batch is the end of a bare
// block, from the one that is forced. So there are never more keys than windows. Returns their number.
static uint32_t key_batch(struct core *core, struct walk *walk, uint32_t copied, uint32_t from, uint32_t to) {
  uint32_t start = block_start(core, from);
  uint32_t count = key_kept(core, walk, from, to);
  if (to == block_end(core, walk, from)) {
    walk_covered(core, walk, start, copied);
    int is_bare = walk->kept_to <= start && walk->varied_to > start;
    if (is_bare) count = key_forced(core, start, to);
  }
  touch_buckets(core, count);
  return count;
}
