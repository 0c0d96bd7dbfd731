// What a test program does when something is not as it should be: says so and aborts, which sanitizers and fuzzers see.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, ...)                           \
  do {                                                  \
    if (!(condition)) {                                 \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);   \
      fprintf(stderr, __VA_ARGS__);                     \
      fprintf(stderr, " (%s is false)\n", #condition);  \
      abort();                                          \
    }                                                   \
  } while (0)

// An area of exactly `count` times `size` zeros, with nothing that may be touched around it.
static inline void *new_area(size_t count, size_t size) {
  void *area = calloc(count, size);
  CHECK(area != NULL || count * size == 0, "no memory for %zu times %zu bytes", count, size);
  return area;
}
