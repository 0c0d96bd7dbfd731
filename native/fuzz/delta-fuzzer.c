// libFuzzer's target for the delta core: the input decides on a trial (native/test/delta-trial.h).
#include "../test/delta-trial.h"

// Freed areas are kept from use for a while, but not so long that the processor's cache forgets all.
const char *__asan_default_options(void) { return "quarantine_size_mb=8"; }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct choices choices = choices_from_bytes(bytes, size);
  uint32_t most_bytes = 1u << (6 + choose(&choices, 11));
  run_delta_trial(&choices, (struct bounds){most_bytes, most_bytes, 1});
  return 0;
}
