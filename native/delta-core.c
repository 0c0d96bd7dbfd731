// The delta engine's inner loops. abi.h says how they are called, docs/delta-algorithm.md what they compute; src/delta/
// has the same in TypeScript, and both make the same bytes.
#include "abi.h"
#include "bytes.h"
#include "encode.h"
#include "fill.h"
#include "match.h"
#include "runs.h"
#include "table.h"
#include "walk.h"

void index_segment(struct core *core, double start, uint32_t length, uint32_t windows) {
  struct walk walk = {windows, 0, 0};
  for (uint32_t from = 0; from < windows;) {
    uint32_t to = batch_end(core, &walk, from, core->batch_windows);
    uint32_t count = key_batch(core, &walk, 0, from, to);
    for (uint32_t n = 0; n < count; n += 1) insert_key(core, &core->keys[n], (uint64_t)start + core->keys[n].start);
    from = to;
  }
  note_runs(core, start, length);
}

void match_segment(struct core *core, double start, uint32_t length, struct encoded *out) {
  uint32_t count = match_anchors(core, (int64_t)start, length);
  count = fill_gaps(core, count, (int64_t)start, length);
  encode_segment(core, count, length, out);
}
