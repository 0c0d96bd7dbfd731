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
  return (struct tuning){engine, 1 + choose_size(choices, batch_windows), choose(choices, page_shift + 1),
                         1 + choose(choices, PAGE_SLOTS_MAX)};
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

static inline void run_trial(struct choices *choices, struct bounds bounds) {
  uint32_t most_bytes = bounds.most_bytes;
  // Small segments have more borders.
  uint32_t segment_bytes = choose(choices, 2) == 0 ? bounds.segment_bytes : 1 + choose_size(choices, most_bytes);
  uint32_t segments = segments_of(most_bytes, segment_bytes);
  if (segments > 300) segment_bytes = segments_of(most_bytes, 300);
  uint32_t sample_bits = 1 + choose(choices, 9);
  uint32_t threads = 1 + choose(choices, bounds.most_threads);
  // One thread may have locks that it does not need.
  int locked = threads > 1 || choose(choices, 16) == 0;
  struct tuning plain = choose_tuning(choices, plain_engine, most_bytes);
  struct tuning other = choose_tuning(choices, simd_engine, most_bytes);
  int64_t origin = choose_origin(choices, most_bytes);
  int64_t target_origin = choose(choices, 2) == 0 ? origin : 0;

  struct pair pair = choose_pair(choices, most_bytes);
  uint8_t *bytes = exact_copy(pair.base.bytes, pair.base.size);
  base = (struct base){.bytes = bytes, .size = pair.base.size, .origin = origin};
  uint32_t buckets = choose_buckets(choices, pair.base.size, sample_bits);

  struct index index = new_index(sample_bits, buckets, 0);
  struct text delta = make_delta(&pair.target, target_origin, segment_bytes, &plain, 1, &index);
  expect_target(&delta, &pair.target);

  struct index again = new_index(sample_bits, buckets, locked);
  struct text same = make_delta(&pair.target, target_origin, segment_bytes, &other, threads, &again);
  expect_same_index(&index, &again);
  CHECK(delta.size == same.size, "deltas of %u and %u bytes", delta.size, same.size);
  CHECK(memcmp(delta.bytes, same.bytes, delta.size) == 0, "deltas of %u bytes differ", delta.size);

  free_index(&index);
  free_index(&again);
  free_text(&delta);
  free_text(&same);
  free_pair(&pair);
  free(bytes);
}
