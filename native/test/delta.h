// Makes a delta with the core by any number of threads: all segments of the base are indexed, then all of the target
// matched, each by whoever is free.
#pragma once

#include <pthread.h>

#include "joiner.h"
#include "thread.h"

#define THREADS_MAX 8

// A pass over all segments of a file.
struct pass {
  const struct tuning *tuning;
  uint32_t segment_bytes;
  uint32_t segments;
  uint32_t next;
  // Null while the base is indexed.
  const struct text *target;
  int64_t target_origin;
  struct encoded **encoded;
};

struct worker {
  pthread_t thread;
  struct core *core;
  struct pass *pass;
};

static inline void *work_through(void *argument) {
  struct worker *worker = argument;
  struct pass *pass = worker->pass;
  const struct engine *engine = &pass->tuning->engine;
  for (;;) {
    uint32_t turn = __atomic_fetch_add(&pass->next, 1, __ATOMIC_RELAXED);
    if (turn >= pass->segments) return NULL;
    uint32_t segment = pass->tuning->backwards ? pass->segments - 1 - turn : turn;
    uint32_t start = segment * pass->segment_bytes;
    if (pass->target == NULL) {
      index_at(worker->core, engine, base.origin + start, pass->segment_bytes);
    } else {
      pass->encoded[segment] =
          match_at(worker->core, engine, pass->target, pass->target_origin, start, pass->segment_bytes);
    }
  }
}

static inline void run_pass(struct worker *workers, uint32_t threads, struct pass *pass) {
  for (uint32_t n = 0; n < threads; n += 1) workers[n].pass = pass;
  for (uint32_t n = 1; n < threads; n += 1) {
    CHECK(pthread_create(&workers[n].thread, NULL, work_through, &workers[n]) == 0, "no thread");
  }
  work_through(&workers[0]);
  for (uint32_t n = 1; n < threads; n += 1) CHECK(pthread_join(workers[n].thread, NULL) == 0, "no end of a thread");
}

// For each byte value the longest run that any thread noted; of equally long ones the lowest.
static inline void merge_runs(double *all, const double *noted) {
  for (uint32_t value = 0; value < BYTE_VALUES; value += 1) {
    double length = noted[BYTE_VALUES + value];
    double known = all[BYTE_VALUES + value];
    if (length < known || (length == known && noted[value] >= all[value])) continue;
    all[value] = noted[value];
    all[BYTE_VALUES + value] = length;
  }
}

static inline uint32_t segments_of(uint32_t size, uint32_t segment_bytes) {
  return size / segment_bytes + (size % segment_bytes > 0);
}

// Counts in the segments have to be those of their commands: what patch.h goes by is bytes alone.
static inline void expect_counts(const struct encoded *segment, uint32_t length) {
  double bytes = segment->lead_length + segment->tail_length + segment->copied_bytes + segment->literal_bytes;
  CHECK(bytes == length, "counts of %.0f bytes for a segment of %u", bytes, length);
  CHECK(segment->body_bytes <= (double)body_room(length), "a body of %.0f bytes", segment->body_bytes);
}

// Makes the delta from the global base to `target`, whose bytes are said to start at `target_origin`, and the index on
// the way. The caller frees both.
static inline struct text make_delta(const struct text *target, int64_t target_origin, uint32_t segment_bytes,
                                     const struct tuning *tuning, uint32_t threads, struct index *index) {
  struct worker workers[THREADS_MAX];
  base.page_shift = tuning->page_shift;
  for (uint32_t n = 0; n < threads; n += 1) workers[n] = (struct worker){.core = new_thread(index, tuning)};

  struct pass pass = {tuning, segment_bytes, segments_of(base.size, segment_bytes), 0, NULL, 0, NULL};
  run_pass(workers, threads, &pass);
  for (uint32_t n = 0; n < threads; n += 1) merge_runs(index->runs, workers[n].core->runs);

  uint32_t segments = segments_of(target->size, segment_bytes);
  struct encoded **encoded = new_area(segments, sizeof *encoded);
  pass = (struct pass){tuning, segment_bytes, segments, 0, target, target_origin, encoded};
  run_pass(workers, threads, &pass);
  for (uint32_t n = 0; n < threads; n += 1) free_thread(workers[n].core);

  struct joiner joiner = start_join();
  for (uint32_t n = 0; n < segments; n += 1) {
    uint32_t left = target->size - n * segment_bytes;
    expect_counts(encoded[n], left < segment_bytes ? left : segment_bytes);
    join_segment(&joiner, encoded[n]);
    free(encoded[n]);
  }
  free(encoded);
  return end_join(&joiner);
}
