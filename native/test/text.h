// A text that a test makes: bytes with room to grow.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct text {
  uint8_t *bytes;
  uint32_t size;
  uint32_t room;
};

static inline void free_text(struct text *text) {
  free(text->bytes);
  *text = (struct text){0};
}

// Makes a hole of `size` bytes at `at`, to be filled by the caller.
static inline uint8_t *open_text(struct text *text, uint32_t at, uint32_t size) {
  if (text->bytes == NULL || text->room - text->size < size) {
    text->room = 2 * (text->size + size) + 64;
    text->bytes = realloc(text->bytes, text->room);
    CHECK(text->bytes != NULL, "no memory for a text of %u bytes", text->room);
  }
  memmove(text->bytes + at + size, text->bytes + at, text->size - at);
  text->size += size;
  return text->bytes + at;
}

// Takes the `size` bytes at `at` out.
static inline void close_text(struct text *text, uint32_t at, uint32_t size) {
  if (size == 0) return;
  memmove(text->bytes + at, text->bytes + at + size, text->size - at - size);
  text->size -= size;
}

// A copy with no room around it, so that sanitizers see every step beside it. The caller frees it.
static inline uint8_t *exact_copy(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size);
  CHECK(copy != NULL || size == 0, "no memory for %zu bytes", size);
  if (size > 0) memcpy(copy, bytes, size);
  return copy;
}
