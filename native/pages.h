// Random access to the base through a direct-mapped cache of pages, and comparing it with the segment in memory.
#pragma once

#include "abi.h"
#include "bytes.h"

// Where the base's bytes at `position` are in memory: at least PAGE_OVERLAP_BYTES follow, as far as the base has them.
// Valid until the next call.
static const uint8_t *locate(const struct core *core, int64_t position) {
  int64_t page = position >> core->page_shift;
  uint32_t slot = (uint32_t)page % core->page_slots;
  uint32_t page_bytes = 1u << core->page_shift;
  uint8_t *at = core->cache + slot * (page_bytes + PAGE_OVERLAP_BYTES);
  if (core->pages[slot] != (double)page) {
    // In this order: loading may fail, with the slot half filled.
    core->pages[slot] = -1;
    load_page((double)page, at);
    core->pages[slot] = (double)page;
  }
  return at + (position & (page_bytes - 1));
}

// Length of the common prefix of the segment from `at` on and the base from `position` on, at most `limit`.
static uint32_t equal_after(const struct core *core, uint32_t at, int64_t position, uint32_t limit) {
  int64_t available = (int64_t)core->base_bytes - position;
  uint32_t length = available < limit ? (uint32_t)available : limit;
  uint32_t page_bytes = 1u << core->page_shift;
  uint32_t done = 0;
  while (done < length) {
    uint32_t chunk = page_bytes - (uint32_t)((position + done) & (page_bytes - 1));
    if (chunk > length - done) chunk = length - done;
    uint32_t equal = equal_forward(core->segment + at + done, locate(core, position + done), chunk);
    done += equal;
    if (equal < chunk) break;
  }
  return done;
}

// Length of the common suffix of the segment before `at` and the base before `position`, at most `limit`.
static uint32_t equal_before(const struct core *core, uint32_t at, int64_t position, uint32_t limit) {
  uint32_t length = position < limit ? (uint32_t)position : limit;
  uint32_t page_bytes = 1u << core->page_shift;
  uint32_t done = 0;
  while (done < length) {
    int64_t last = position - done - 1;
    uint32_t chunk = (uint32_t)(last & (page_bytes - 1)) + 1;
    if (chunk > length - done) chunk = length - done;
    uint32_t equal = equal_backward(core->segment + at - done, locate(core, last) + 1, chunk);
    done += equal;
    if (equal < chunk) break;
  }
  return done;
}
