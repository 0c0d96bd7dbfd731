// Runs of one byte value, of at least RUN_MIN_BYTES bytes.
#pragma once

#include "abi.h"
#include "bytes.h"

#define RUN_MIN_BYTES 32
// Bytes without runs are gone through in steps of so many.
#define VARIED_STEP_BYTES 128

// From `start` to before `end`.
struct run {
  uint32_t start;
  uint32_t end;
};

#ifdef __wasm_simd128__
// A lane is not 0 where the two words before `at` are equal, or the two from `at` on.
static inline v128_t words_repeat(const uint8_t *at) {
  v128_t words = wasm_v128_load(at - 8);
  return wasm_i32x4_eq(words, wasm_i32x4_shuffle(words, words, 1, 0, 3, 2));
}

// The first of the places from `at` on, 32 bytes apart, with words around it that repeat, or one before it; at least 8
// bytes lie before `at`.
static uint32_t skip_varied(const uint8_t *bytes, uint32_t at, uint32_t to) {
  while (to - at > VARIED_STEP_BYTES) {
    v128_t first = wasm_v128_or(words_repeat(bytes + at), words_repeat(bytes + at + 32));
    v128_t second = wasm_v128_or(words_repeat(bytes + at + 64), words_repeat(bytes + at + 96));
    if (wasm_v128_any_true(wasm_v128_or(first, second))) break;
    at += VARIED_STEP_BYTES;
  }
  return at;
}
#else
static uint32_t skip_varied(const uint8_t *bytes, uint32_t at, uint32_t to) {
  (void)bytes;
  (void)to;
  return at;
}
#endif

// Finds the first maximal run of at least RUN_MIN_BYTES equal bytes in [from, to); 0 when there is none.
static int next_run(const uint8_t *bytes, uint32_t from, uint32_t to, struct run *run) {
  // Every run of 32 bytes holds a multiple of 32 (counted from `from`) and the 16 bytes before or after it.
  for (uint32_t at = from; at < to; at += 2 * STRIDE) {
    if (at > from && (at - from) % VARIED_STEP_BYTES == 0) at = skip_varied(bytes, at, to);
    int before = at > from && load_word(bytes + at - 8) == load_word(bytes + at - 4);
    int after = to - at > STRIDE && load_word(bytes + at) == load_word(bytes + at + 4);
    if (!(before | after)) continue;
    uint8_t value = bytes[at];
    uint32_t start = at;
    while (start > from && bytes[start - 1] == value) start -= 1;
    uint32_t end = at + constant_bytes(bytes + at, to - at);
    if (end - start < RUN_MIN_BYTES) continue;
    run->start = start;
    run->end = end;
    return 1;
  }
  return 0;
}

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
  struct run run = {0, 0};
  while (next_run(core->segment, run.end, length, &run)) {
    note_run(core->runs, core->segment[run.start], start + run.start, run.end - run.start);
  }
}
