// Trials of the signature core (signature-trial.h) on pairs of at most 64 bytes to 4 KiB.
#include "driver.h"
#include "signature-trial.h"

static void run(struct choices *choices, uint32_t threads) {
  (void)threads;
  run_signature_trial(choices, 64u << choose(choices, 7));
}

int main(int count, char **arguments) { run_trials(count, arguments, run); }
