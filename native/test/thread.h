// What one thread of the core has for itself. Every area is an allocation of its own and has the bytes that abi.h asks
// for and none more; those that depend on a segment's length are made anew for each segment.
#pragma once

#include "../abi.h"
#include "base.h"

#define RUNS_COUNT ((size_t)2 * BYTE_VALUES)
// Windows that start here or later are not indexed (docs/delta-algorithm.md).
#define INDEXED_BYTES ((1ll << 36) - 1)

// One of the ways in which the core is compiled.
struct engine {
  void (*index_segment)(struct core *core, double start, uint32_t length, uint32_t windows);
  void (*match_segment)(struct core *core, double start, uint32_t length, struct encoded *out);
};

// How a thread does its work; no result depends on it.
struct tuning {
  struct engine engine;
  uint32_t batch_windows;
  uint32_t page_shift;
  uint32_t page_slots;
  // Segments from the last to the first.
  int backwards;
};

// What all threads share that work with one base.
struct index {
  uint32_t sample_bits;
  uint32_t buckets;
  uint64_t *table;
  uint32_t *locks;
  double *runs;
};

static inline size_t table_bytes(uint32_t buckets) { return (size_t)buckets * BUCKET_SLOTS * sizeof(uint64_t); }

static inline struct index new_index(uint32_t sample_bits, uint32_t buckets, int locked) {
  struct index index = {.sample_bits = sample_bits, .buckets = buckets};
  index.table = aligned_alloc(64, table_bytes(buckets));
  CHECK(index.table != NULL, "no memory for %u buckets", buckets);
  memset(index.table, 0, table_bytes(buckets));
  if (locked) index.locks = new_area(TABLE_LOCKS, sizeof *index.locks);
  index.runs = new_area(RUNS_COUNT, sizeof *index.runs);
  return index;
}

static inline void free_index(struct index *index) {
  free(index->table);
  free(index->locks);
  free(index->runs);
}

static inline uint64_t slot_bytes(const struct core *core) { return (1ull << core->page_shift) + PAGE_OVERLAP_BYTES; }

static inline struct core *new_thread(const struct index *index, const struct tuning *tuning) {
  struct core *core = new_area(1, sizeof *core);
  core->base_bytes = (double)base_end();
  core->sample_bits = index->sample_bits;
  core->buckets = index->buckets;
  core->batch_windows = tuning->batch_windows;
  core->page_shift = tuning->page_shift;
  core->page_slots = tuning->page_slots;
  core->table = index->table;
  core->locks = index->locks;
  core->runs = new_area(RUNS_COUNT, sizeof *core->runs);
  core->base_runs = index->runs;
  core->anchors = new_area(tuning->batch_windows, sizeof *core->anchors);
  core->keys = new_area(tuning->batch_windows, sizeof *core->keys);
  core->pages = new_area(tuning->page_slots, sizeof *core->pages);
  for (uint32_t slot = 0; slot < tuning->page_slots; slot += 1) core->pages[slot] = -1;
  core->cache = malloc(tuning->page_slots * slot_bytes(core));
  CHECK(core->cache != NULL, "no memory for %u pages", tuning->page_slots);
  FORBID(core->cache, tuning->page_slots * slot_bytes(core));
  return core;
}

static inline void free_thread(struct core *core) {
  free(core->runs);
  free(core->anchors);
  free(core->keys);
  free(core->pages);
  free(core->cache);
  free(core);
}

// Enters the segment of the base at `start`, of at most `segment_bytes`, into table and runs.
static inline void index_at(struct core *core, const struct engine *engine, int64_t start, uint32_t segment_bytes) {
  int64_t left = base_end() - start;
  int64_t length = left < segment_bytes ? left : segment_bytes;
  int64_t readable = left < length + WINDOW_BYTES - 1 ? left : length + WINDOW_BYTES - 1;
  int64_t windows = readable - WINDOW_BYTES + 1 < length ? readable - WINDOW_BYTES + 1 : length;
  if (INDEXED_BYTES - start < windows) windows = INDEXED_BYTES - start;
  uint8_t *segment = new_area((size_t)readable, 1);
  read_base(segment, start, (size_t)readable);
  core->segment = segment;
  engine->index_segment(core, (double)start, (uint32_t)length, windows > 0 ? (uint32_t)windows : 0);
  free(segment);
}

static inline struct copies new_copies(size_t room) {
  return (struct copies){new_area(room, sizeof(uint32_t)), new_area(room, sizeof(uint32_t)),
                         new_area(room, sizeof(double))};
}

static inline void free_copies(struct copies *copies) {
  free(copies->starts);
  free(copies->lengths);
  free(copies->positions);
}

static inline size_t body_room(uint32_t length) { return (size_t)length * 9 / 8 + 1024; }

// Encodes the target's segment at `start` of its bytes, which come after `origin` others. The caller frees what it
// returns.
static inline struct encoded *match_at(struct core *core, const struct engine *engine, const struct text *target,
                                       int64_t origin, uint32_t start, uint32_t segment_bytes) {
  uint32_t length = target->size - start < segment_bytes ? target->size - start : segment_bytes;
  uint8_t *segment = exact_copy(target->bytes + start, length);
  struct encoded *out = new_area(1, sizeof *out + body_room(length));
  size_t filled = ((size_t)length + 9) / 10;
  core->segment = segment;
  core->matched = new_copies(length / WINDOW_BYTES);
  core->filled = new_copies(filled);
  core->found = new_area(2 * filled, sizeof *core->found);
  engine->match_segment(core, (double)(origin + start), length, out);
  free_copies(&core->matched);
  free_copies(&core->filled);
  free(core->found);
  free(segment);
  return out;
}
