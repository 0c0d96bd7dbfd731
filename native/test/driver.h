// The main function of a program that runs trials: `PROGRAM SEED TRIALS THREADS` runs that many, from the seeds SEED,
// SEED + 1, ..., with up to THREADS threads each. So a failure of the seed S is repeated by `PROGRAM S 1 THREADS`.
#pragma once

#include <signal.h>

#include "check.h"
#include "choices.h"

static uint64_t trial_seed;

// All that can go wrong ends in SIGABRT, and that in the seed of the trial.
const char *__asan_default_options(void) { return "abort_on_error=1"; }
const char *__ubsan_default_options(void) { return "abort_on_error=1:print_stacktrace=1"; }
const char *__tsan_default_options(void) { return "abort_on_error=1:halt_on_error=1"; }

static inline void tell_seed(int signal) {
  fprintf(stderr, "in the trial of seed %llu (signal %d)\n", (unsigned long long)trial_seed, signal);
}

static inline uint64_t number(const char *argument) {
  char *end;
  uint64_t value = strtoull(argument, &end, 10);
  CHECK(end != argument && *end == '\0', "'%s' is no number", argument);
  return value;
}

static inline void run_trials(int count, char **arguments, void (*run)(struct choices *choices, uint32_t threads)) {
  CHECK(count == 4, "usage: %s SEED TRIALS THREADS", arguments[0]);
  uint64_t first = number(arguments[1]);
  uint64_t trials = number(arguments[2]);
  uint32_t threads = (uint32_t)number(arguments[3]);
  CHECK(threads >= 1, "no threads");
  signal(SIGABRT, tell_seed);
  for (trial_seed = first; trial_seed < first + trials; trial_seed += 1) {
    struct choices choices = choices_from_seed(trial_seed);
    run(&choices, threads);
  }
  printf("%llu trials\n", (unsigned long long)trials);
}
