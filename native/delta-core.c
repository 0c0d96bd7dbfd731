// The delta engine's inner loops. abi.h says how they are called, docs/delta-algorithm.md what they compute; src/delta/
// has the same in TypeScript, and both make the same bytes.
#include "abi.h"
#include "bytes.h"
#include "encode.h"
#include "fill.h"
#include "key.h"
#include "match.h"
#include "runs.h"
#include "sample.h"
#include "table.h"

static void index_batch(struct core *core, uint64_t origin, uint32_t from, uint32_t to) {
  uint32_t read = to - from + WINDOW_BYTES - 1;
  // All windows of a constant stretch have period 1 and would be dropped.
  if (constant_bytes(core->segment + from, read) == read) return;
  uint32_t count = key_anchors(core, sample_anchors(core, from, to));
  touch_buckets(core, count);
  for (uint32_t n = 0; n < count; n += 1) insert_key(core, &core->keys[n], origin + core->keys[n].start);
}

void index_segment(struct core *core, double start, uint32_t length, uint32_t windows) {
  uint32_t batch = core->batch_windows;
  for (uint32_t from = 0; from < windows;) {
    uint32_t to = windows - from < batch ? windows : from + batch;
    index_batch(core, (uint64_t)start, from, to);
    from = to;
  }
  note_runs(core, start, length);
}

void match_segment(struct core *core, double start, uint32_t length, struct encoded *out) {
  uint32_t count = match_anchors(core, (int64_t)start, length);
  count = fill_gaps(core, count, (int64_t)start, length);
  encode_segment(core, count, length, out);
}
