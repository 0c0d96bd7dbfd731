// The base of a trial, and load_page, which hands it to the core page by page. Before its bytes may lie up to 2^36
// zeros that no one stores, so that offsets of all widths occur.
#pragma once

#include "../abi.h"
#include "text.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHES_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHES_ADDRESSES 1
#endif
#endif

#ifdef WATCHES_ADDRESSES
#include <sanitizer/asan_interface.h>
#define FORBID(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#define ALLOW(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#else
#define FORBID(address, size) ((void)(address), (void)(size))
#define ALLOW(address, size) ((void)(address), (void)(size))
#endif

struct base {
  const uint8_t *bytes;
  uint32_t size;
  // Where the bytes start.
  int64_t origin;
  // Of the caches of the threads that may load pages, or of any one of them.
  uint32_t page_shift;
};

// The one that all threads work with: the core's import has no room to say which.
extern struct base base;

static inline int64_t base_end(void) { return base.origin + base.size; }

static inline uint8_t base_byte(int64_t position) {
  return position < base.origin ? 0 : base.bytes[position - base.origin];
}

// Copies [position, position + size) of the base, which must be inside it.
static inline void read_base(uint8_t *to, int64_t position, size_t size) {
  size_t zeros = position < base.origin ? (size_t)(base.origin - position) : 0;
  if (zeros > size) zeros = size;
  memset(to, 0, zeros);
  if (size > zeros) memcpy(to + zeros, base.bytes + (position + (int64_t)zeros - base.origin), size - zeros);
}
