// The core's import.
#include "base.h"

struct base base;

void load_page(double page, uint8_t *address) {
  int64_t page_bytes = 1ll << base.page_shift;
  int64_t start = (int64_t)page * page_bytes;
  int64_t room = page_bytes + PAGE_OVERLAP_BYTES;
  CHECK(start >= 0 && start < base_end(), "page %.0f of a base of %lld bytes", page, (long long)base_end());
  int64_t size = base_end() - start < room ? base_end() - start : room;
  ALLOW(address, (size_t)room);
  read_base(address, start, (size_t)size);
  // What is left of the slot belongs to no page.
  FORBID(address + size, (size_t)(room - size));
}
