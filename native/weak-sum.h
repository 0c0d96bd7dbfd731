// The two weak sums of librsync's signatures, over whole blocks. docs/signatures.md defines them.
#pragma once

#include "lanes.h"

typedef int16_t shorts __attribute__((vector_size(16)));

// Rabin-Karp: a polynomial in this number, modulo 2^32.
#define RABIN_KARP_BASE 0x08104225u
// Rollsum adds this to every byte.
#define ROLLSUM_OFFSET 31

// RABIN_KARP_BASE^n for n < 64, as a constant expression.
#define POWER_1 RABIN_KARP_BASE
#define POWER_2 (POWER_1 * POWER_1)
#define POWER_4 (POWER_2 * POWER_2)
#define POWER_8 (POWER_4 * POWER_4)
#define POWER_16 (POWER_8 * POWER_8)
#define POWER_32 (POWER_16 * POWER_16)
#define POWER_64 (POWER_32 * POWER_32)
#define POWER(n)                                                                                       \
  (((n) & 1 ? POWER_1 : 1u) * ((n) & 2 ? POWER_2 : 1u) * ((n) & 4 ? POWER_4 : 1u) * ((n) & 8 ? POWER_8 : 1u) * \
   ((n) & 16 ? POWER_16 : 1u) * ((n) & 32 ? POWER_32 : 1u))

// A power as high * 2^16 + low, both signed 16 bits, because that is what can be multiplied and added in one step.
#define LOW(n) (int16_t)(POWER(n) & 0xffff)
#define HIGH(n) (int16_t)((POWER(n) >> 16) + ((POWER(n) >> 15) & 1))
#define EIGHT(part, n) {part(n), part(n - 1), part(n - 2), part(n - 3), part(n - 4), part(n - 5), part(n - 6), part(n - 7)}

static const shorts low_powers[8] = {EIGHT(LOW, 63), EIGHT(LOW, 55), EIGHT(LOW, 47), EIGHT(LOW, 39),
                                     EIGHT(LOW, 31), EIGHT(LOW, 23), EIGHT(LOW, 15), EIGHT(LOW, 7)};
static const shorts high_powers[8] = {EIGHT(HIGH, 63), EIGHT(HIGH, 55), EIGHT(HIGH, 47), EIGHT(HIGH, 39),
                                      EIGHT(HIGH, 31), EIGHT(HIGH, 23), EIGHT(HIGH, 15), EIGHT(HIGH, 7)};

static inline shorts widen_eight(const uint8_t *at) {
  typedef uint8_t eight __attribute__((vector_size(8)));
  eight loaded;
  __builtin_memcpy(&loaded, at, sizeof loaded);
  return __builtin_convertvector(loaded, shorts);
}

// Products of the eight pairs, added two by two.
static inline words dot(shorts a, shorts b) {
#ifdef __wasm_simd128__
  return (words)__builtin_wasm_dot_s_i32x4_i16x8(a, b);
#else
  words sums;
  for (int n = 0; n < 4; n += 1) sums[n] = (uint32_t)(a[2 * n] * b[2 * n] + a[2 * n + 1] * b[2 * n + 1]);
  return sums;
#endif
}

static inline uint32_t sum_of(words lanes) { return lanes[0] + lanes[1] + lanes[2] + lanes[3]; }

// base^length + sum of bytes[i] * base^(length - 1 - i): Horner's rule, 64 bytes a step.
static uint32_t rabin_karp(const uint8_t *bytes, uint32_t length) {
  words sums = {1, 0, 0, 0};
  uint32_t done = 0;
  for (; length - done >= 64; done += 64) {
    words low = {0, 0, 0, 0};
    words high = {0, 0, 0, 0};
    for (int n = 0; n < 8; n += 1) {
      shorts eight = widen_eight(bytes + done + 8 * n);
      low += dot(eight, low_powers[n]);
      high += dot(eight, high_powers[n]);
    }
    sums = sums * POWER_64 + low + (high << 16);
  }
  uint32_t sum = sum_of(sums);
  for (; done < length; done += 1) sum = sum * RABIN_KARP_BASE + bytes[done];
  return sum;
}

// In the low half the sum of bytes[i] + 31, in the high half that of (length - i) * (bytes[i] + 31), modulo 2^16 each.
static uint32_t rollsum(const uint8_t *bytes, uint32_t length) {
  static const shorts weights[4] = {{32, 31, 30, 29, 28, 27, 26, 25},
                                    {24, 23, 22, 21, 20, 19, 18, 17},
                                    {16, 15, 14, 13, 12, 11, 10, 9},
                                    {8, 7, 6, 5, 4, 3, 2, 1}};
  const shorts ones = {1, 1, 1, 1, 1, 1, 1, 1};
  words plain = {0, 0, 0, 0};
  words weighted = {0, 0, 0, 0};
  uint32_t done = 0;
  for (; length - done >= 32; done += 32) {
    weighted += plain << 5;
    for (int n = 0; n < 4; n += 1) {
      shorts eight = widen_eight(bytes + done + 8 * n);
      plain += dot(eight, ones);
      weighted += dot(eight, weights[n]);
    }
  }
  uint32_t low = sum_of(plain);
  uint32_t high = sum_of(weighted);
  for (; done < length; done += 1) {
    low += bytes[done];
    high += low;
  }
  uint64_t triangle = (uint64_t)length * ((uint64_t)length + 1) / 2;
  low += ROLLSUM_OFFSET * length;
  high += ROLLSUM_OFFSET * (uint32_t)triangle;
  return (high << 16) | (low & 0xffff);
}
