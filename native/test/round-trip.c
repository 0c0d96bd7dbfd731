// `round-trip SEED TRIALS THREADS`: that many trials (trial.h), from the seeds SEED, SEED + 1, ... and with up to
// THREADS threads, on pairs of at most 64 bytes to 1 MiB, and one in 128 on pairs of several segments. So a failure of
// the seed S is repeated by `round-trip S 1 THREADS`.
#include <signal.h>

#include "trial.h"

#define SEGMENT_BYTES (1 << 21)
#define LARGE_BYTES (5 * SEGMENT_BYTES / 2)

static uint64_t seed;

// All that can go wrong ends in SIGABRT, and that in the number of the trial.
const char *__asan_default_options(void) { return "abort_on_error=1"; }
const char *__ubsan_default_options(void) { return "abort_on_error=1:print_stacktrace=1"; }
const char *__tsan_default_options(void) { return "abort_on_error=1:halt_on_error=1"; }

// The core warms the cache with reads that no lock guards, on purpose: nothing depends on what they find. (Atomic reads
// would do, too, but are other instructions in WebAssembly.)
const char *__tsan_default_suppressions(void) { return "race:^touch_buckets$\n"; }

static void tell_seed(int signal) {
  fprintf(stderr, "in the trial of seed %llu (signal %d)\n", (unsigned long long)seed, signal);
}

static uint64_t number(const char *argument) {
  char *end;
  uint64_t value = strtoull(argument, &end, 10);
  CHECK(end != argument && *end == '\0', "'%s' is no number", argument);
  return value;
}

static void run_seed(uint32_t threads) {
  struct choices choices = choices_from_seed(seed);
  int large = choose(&choices, 128) == 0;
  uint32_t most_bytes = large ? LARGE_BYTES : 64u << choose(&choices, 15);
  run_trial(&choices, (struct bounds){most_bytes, SEGMENT_BYTES, threads});
}

int main(int count, char **arguments) {
  CHECK(count == 4, "usage: round-trip SEED TRIALS THREADS");
  uint64_t first = number(arguments[1]);
  uint64_t trials = number(arguments[2]);
  uint32_t threads = (uint32_t)number(arguments[3]);
  CHECK(threads >= 1 && threads <= THREADS_MAX, "%u threads are not from 1 to %u", threads, THREADS_MAX);
  signal(SIGABRT, tell_seed);
  for (seed = first; seed < first + trials; seed += 1) run_seed(threads);
  printf("%llu trials\n", (unsigned long long)trials);
}
