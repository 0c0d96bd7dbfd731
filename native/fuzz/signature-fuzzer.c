// libFuzzer's target for the signature core: the input decides on a trial (native/test/signature-trial.h).
#include "../test/signature-trial.h"

// Freed areas are kept from use for a while, but not so long that the processor's cache forgets all.
const char *__asan_default_options(void) { return "quarantine_size_mb=8"; }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct choices choices = choices_from_bytes(bytes, size);
  run_signature_trial(&choices, 1u << (4 + choose(&choices, 8)));
  return 0;
}
