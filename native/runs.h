// Runs of one byte value, of at least RUN_MIN_BYTES bytes.
#pragma once

#include "abi.h"
#include "bytes.h"

#define RUN_MIN_BYTES 32

// Remembers a run of the base when it is the longest of its byte value, or as long as that and lower.
static void note_run(double *runs, uint8_t value, double position, double length) {
  double *positions = runs;
  double *lengths = runs + BYTE_VALUES;
  if (length < lengths[value] || (length == lengths[value] && position >= positions[value])) return;
  positions[value] = position;
  lengths[value] = length;
}

// Notes all maximal runs of a base segment.
static void note_runs(const struct core *core, double start, uint32_t length) {
  const uint8_t *bytes = core->segment;
  uint32_t done = 0;
  // Every run of 32 bytes holds a multiple of 16 and the 16 bytes from it on; the first and the last of these come
  // first, because they tell most places apart.
  for (uint32_t at = 0; at + STRIDE < length;) {
    if (bytes[at] != bytes[at + STRIDE - 1] || constant_bytes(bytes + at, STRIDE) < STRIDE) {
      at += STRIDE;
      continue;
    }
    uint32_t run_start = at;
    while (run_start > done && bytes[run_start - 1] == bytes[at]) run_start -= 1;
    uint32_t run_end = at + constant_bytes(bytes + at, length - at);
    if (run_end - run_start >= RUN_MIN_BYTES) note_run(core->runs, bytes[at], start + run_start, run_end - run_start);
    done = run_end;
    // The next run starts at its end or later: the next multiple of 16 that it can hold is not before that.
    at = (run_end + STRIDE - 1) / STRIDE * STRIDE;
  }
}
