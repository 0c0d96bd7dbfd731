// Comparing bytes, sixteen at a step where SIMD is there. Nothing is read outside the ranges that are compared.
#pragma once

#include <stdint.h>

#ifdef __wasm_simd128__
#include <wasm_simd128.h>

#define STRIDE 16

// One bit for each of the 16 bytes: 1 where they differ.
static inline uint32_t differences(const uint8_t *a, const uint8_t *b) {
  return wasm_i8x16_bitmask(wasm_i8x16_ne(wasm_v128_load(a), wasm_v128_load(b)));
}
#else
#define STRIDE 16

static inline uint32_t differences(const uint8_t *a, const uint8_t *b) {
  uint32_t mask = 0;
  for (uint32_t i = 0; i < STRIDE; i += 1) mask |= (uint32_t)(a[i] != b[i]) << i;
  return mask;
}
#endif

static inline uint32_t load_word(const uint8_t *at) {
  uint32_t word;
  __builtin_memcpy(&word, at, sizeof word);
  return word;
}

// How many of the first `length` bytes of a and b are equal, up to the first difference.
static uint32_t equal_forward(const uint8_t *a, const uint8_t *b, uint32_t length) {
  uint32_t done = 0;
  for (; length - done >= STRIDE; done += STRIDE) {
    uint32_t mask = differences(a + done, b + done);
    if (mask != 0) return done + (uint32_t)__builtin_ctz(mask);
  }
  while (done < length && a[done] == b[done]) done += 1;
  return done;
}

// How many of the `length` bytes before a and b are equal, down to the first difference.
static uint32_t equal_backward(const uint8_t *a, const uint8_t *b, uint32_t length) {
  uint32_t done = 0;
  for (; length - done >= STRIDE; done += STRIDE) {
    uint32_t mask = differences(a - done - STRIDE, b - done - STRIDE);
    if (mask != 0) return done + (uint32_t)__builtin_clz(mask) - (32 - STRIDE);
  }
  while (done < length && *(a - done - 1) == *(b - done - 1)) done += 1;
  return done;
}

// Whether the WINDOW_BYTES bytes of a and b are equal.
static inline int windows_equal(const uint8_t *a, const uint8_t *b) {
  return (differences(a, b) | differences(a + STRIDE, b + STRIDE)) == 0;
}

// How many of the `length` bytes, at least 1, equal the first one, up to the first that does not.
static inline uint32_t constant_bytes(const uint8_t *bytes, uint32_t length) {
  return 1 + equal_forward(bytes + 1, bytes, length - 1);
}
