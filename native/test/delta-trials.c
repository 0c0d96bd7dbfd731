// Trials of the delta core (delta-trial.h) on pairs of at most 64 bytes to 1 MiB, and one in 128 on pairs of several
// segments.
#include "delta-trial.h"
#include "driver.h"

#define SEGMENT_BYTES (1 << 20)
#define LARGE_BYTES (5 * SEGMENT_BYTES / 2)

// The core warms the cache with reads that no lock guards, on purpose: nothing depends on what they find. (Atomic reads
// would do, too, but are other instructions in WebAssembly.)
const char *__tsan_default_suppressions(void) { return "race:^touch_buckets$\n"; }

static void run(struct choices *choices, uint32_t threads) {
  int large = choose(choices, 128) == 0;
  uint32_t most_bytes = large ? LARGE_BYTES : 64u << choose(choices, 15);
  run_delta_trial(choices, (struct bounds){most_bytes, SEGMENT_BYTES, threads < THREADS_MAX ? threads : THREADS_MAX});
}

int main(int count, char **arguments) { run_trials(count, arguments, run); }
