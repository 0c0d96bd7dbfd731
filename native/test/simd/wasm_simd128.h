// What the core uses of WebAssembly's SIMD instructions, for compilers that make other code: so that sanitizers and
// fuzzers see what the SIMD path reads. Every load here is of exactly the bytes that the instruction loads.
#pragma once

#include <stdint.h>

typedef uint8_t v128_t __attribute__((vector_size(16)));
typedef uint16_t lanes_of_16 __attribute__((vector_size(16)));
typedef int16_t signed_lanes_of_16 __attribute__((vector_size(16)));
typedef uint8_t half_v128 __attribute__((vector_size(8)));
typedef v128_t v128_anywhere __attribute__((aligned(1), may_alias));
typedef half_v128 half_anywhere __attribute__((aligned(1), may_alias));

static inline v128_t wasm_v128_load(const void *at) { return *(const v128_anywhere *)at; }

static inline v128_t wasm_u16x8_load8x8(const void *at) {
  half_v128 bytes = *(const half_anywhere *)at;
  return (v128_t)__builtin_convertvector(bytes, lanes_of_16);
}

static inline v128_t wasm_i8x16_ne(v128_t a, v128_t b) { return (v128_t)(a != b); }

static inline uint32_t wasm_i8x16_bitmask(v128_t a) {
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < 16; lane += 1) mask |= (uint32_t)(a[lane] >> 7) << lane;
  return mask;
}

// Lanes of `a`, then of `b`, counted from 0 to 31.
#define wasm_i8x16_shuffle(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

static inline v128_t wasm_i16x8_splat(int16_t value) {
  uint16_t lane = (uint16_t)value;
  return (v128_t)(lanes_of_16){lane, lane, lane, lane, lane, lane, lane, lane};
}

static inline v128_t wasm_i16x8_add(v128_t a, v128_t b) { return (v128_t)((lanes_of_16)a + (lanes_of_16)b); }
static inline v128_t wasm_i16x8_mul(v128_t a, v128_t b) { return (v128_t)((lanes_of_16)a * (lanes_of_16)b); }
static inline v128_t wasm_i16x8_shl(v128_t a, uint32_t bits) { return (v128_t)((lanes_of_16)a << (bits % 16)); }
static inline v128_t wasm_i16x8_lt(v128_t a, v128_t b) {
  return (v128_t)((signed_lanes_of_16)a < (signed_lanes_of_16)b);
}

// The signed 16-bit lanes of `a`, then of `b`, as signed bytes: the nearest that there is.
static inline v128_t wasm_i8x16_narrow_i16x8(v128_t a, v128_t b) {
  v128_t narrow = {0};
  for (uint32_t lane = 0; lane < 16; lane += 1) {
    int16_t value = ((signed_lanes_of_16)(lane < 8 ? a : b))[lane % 8];
    narrow[lane] = (uint8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
  }
  return narrow;
}
