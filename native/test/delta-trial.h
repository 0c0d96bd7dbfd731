// One trial: a pair, and its delta made twice, in ways that must not show. Once plainly by one thread, once with SIMD
// and cut differently, by one thread or several. Tables, runs and deltas have to be equal, and lead to the target.
#pragma once

#include "delta.h"
#include "pair.h"
#include "patch.h"

// What a trial may be like.
struct bounds {
  uint32_t most_bytes;
  uint32_t segment_bytes;
  uint32_t most_threads;
};

struct trial {
  struct pair pair;
  // Where base and target start, that is: how many bytes there are said to be before them.
  int64_t base_origin;
  int64_t target_origin;
  uint32_t segment_bytes;
  uint32_t sample_bits;
  uint32_t buckets;
  struct tuning plain;
  struct tuning other;
  // Of the second time.
  uint32_t threads;
  int locked;
};

#define SEGMENTS_MAX 300
#define PAGE_SHIFT_MAX 17
#define PAGE_SLOTS_MAX 8
#define BATCH_MAX 20000

void index_segment_simd(struct core *core, double start, uint32_t length, uint32_t windows);
void match_segment_simd(struct core *core, double start, uint32_t length, struct encoded *out);

static const struct engine plain_engine = {index_segment, match_segment};
static const struct engine simd_engine = {index_segment_simd, match_segment_simd};

static inline struct tuning choose_tuning(struct choices *choices, struct engine engine, uint32_t most_bytes) {
  // Pages and batches that hold all of a small pair are large enough.
  uint32_t page_shift = 33 - (uint32_t)__builtin_clz(most_bytes);
  if (page_shift > PAGE_SHIFT_MAX) page_shift = PAGE_SHIFT_MAX;
  uint32_t batch_windows = most_bytes < BATCH_MAX ? most_bytes : BATCH_MAX;
  struct tuning tuning = {.engine = engine, .batch_windows = 1 + choose_size(choices, batch_windows)};
  tuning.page_shift = choose(choices, page_shift + 1);
  tuning.page_slots = 1 + choose(choices, PAGE_SLOTS_MAX);
  tuning.backwards = choose(choices, 2) == 1;
  return tuning;
}

// Mostly where files start, at times around the place where offsets get wider or where indexing ends.
static inline int64_t choose_origin(struct choices *choices, uint32_t most_bytes) {
  static const int64_t borders[] = {1 << 8, 1 << 16, 1ll << 32, INDEXED_BYTES, INDEXED_BYTES + 1};
  uint32_t which = choose(choices, 16);
  if (which >= sizeof borders / sizeof *borders) return 0;
  int64_t origin = borders[which] - (choose(choices, 2) == 0 ? 0 : choose(choices, most_bytes + 1));
  return origin < 0 ? 0 : origin;
}

// The buckets that so large a base gets, or so few that they overflow.
static inline uint32_t choose_buckets(struct choices *choices, int64_t base_bytes, uint32_t sample_bits) {
  if (choose(choices, 4) == 0) return 1 + choose(choices, 4);
  return (uint32_t)(base_bytes / (4ll << sample_bits)) + 1;
}

// Half of the segments are as large as they may be; small ones have more borders.
static inline uint32_t choose_segment_bytes(struct choices *choices, struct bounds bounds) {
  if (choose(choices, 2) == 0) return bounds.segment_bytes;
  uint32_t segment_bytes = 1 + choose_size(choices, bounds.most_bytes);
  uint32_t least = segments_of(bounds.most_bytes, SEGMENTS_MAX);
  return segment_bytes < least ? least : segment_bytes;
}

static inline struct trial choose_trial(struct choices *choices, struct bounds bounds) {
  struct trial trial = {.segment_bytes = choose_segment_bytes(choices, bounds)};
  trial.sample_bits = 1 + choose(choices, 9);
  trial.threads = 1 + choose(choices, bounds.most_threads);
  // One thread may have locks that it does not need.
  trial.locked = trial.threads > 1 || choose(choices, 16) == 0;
  trial.plain = choose_tuning(choices, plain_engine, bounds.most_bytes);
  trial.other = choose_tuning(choices, simd_engine, bounds.most_bytes);
  trial.base_origin = choose_origin(choices, bounds.most_bytes);
  trial.target_origin = choose(choices, 2) == 0 ? trial.base_origin : 0;
  trial.pair = choose_pair(choices, bounds.most_bytes);
  trial.buckets = choose_buckets(choices, trial.pair.base.size, trial.sample_bits);
  return trial;
}

static inline int compare_entries(const void *a, const void *b) {
  uint64_t first = *(const uint64_t *)a;
  uint64_t second = *(const uint64_t *)b;
  return (first > second) - (first < second);
}

// Which entries a bucket holds is the same for any order of insertion; in which slots they are is not.
static inline void expect_same_index(const struct index *index, const struct index *again) {
  for (uint32_t bucket = 0; bucket < index->buckets; bucket += 1) {
    uint64_t *entries = index->table + (size_t)bucket * BUCKET_SLOTS;
    uint64_t *others = again->table + (size_t)bucket * BUCKET_SLOTS;
    qsort(entries, BUCKET_SLOTS, sizeof *entries, compare_entries);
    qsort(others, BUCKET_SLOTS, sizeof *others, compare_entries);
    CHECK(memcmp(entries, others, BUCKET_SLOTS * sizeof *entries) == 0, "bucket %u of %u differs", bucket,
          index->buckets);
  }
  CHECK(memcmp(index->runs, again->runs, RUNS_COUNT * sizeof *index->runs) == 0, "longest runs differ");
}

static inline void run_delta_trial(struct choices *choices, struct bounds bounds) {
  struct trial trial = choose_trial(choices, bounds);
  const struct text *target = &trial.pair.target;
  uint8_t *bytes = exact_copy(trial.pair.base.bytes, trial.pair.base.size);
  base = (struct base){.bytes = bytes, .size = trial.pair.base.size, .origin = trial.base_origin};

  struct index index = new_index(trial.sample_bits, trial.buckets, 0);
  struct text delta = make_delta(target, trial.target_origin, trial.segment_bytes, &trial.plain, 1, &index);
  expect_target(&delta, target);

  struct index again = new_index(trial.sample_bits, trial.buckets, trial.locked);
  struct text same =
      make_delta(target, trial.target_origin, trial.segment_bytes, &trial.other, trial.threads, &again);
  expect_same_index(&index, &again);
  CHECK(delta.size == same.size, "deltas of %u and %u bytes", delta.size, same.size);
  CHECK(memcmp(delta.bytes, same.bytes, delta.size) == 0, "deltas of %u bytes differ", delta.size);

  free_index(&index);
  free_index(&again);
  free_text(&delta);
  free_text(&same);
  free_pair(&trial.pair);
  free(bytes);
}
