// What the core uses of WebAssembly's SIMD instructions, for compilers that make other code: so that sanitizers and
// fuzzers see what the SIMD path reads. Every load here is of exactly the bytes that the instruction loads.
#pragma once

#include <stdint.h>

typedef uint8_t v128_t __attribute__((vector_size(16)));
typedef uint16_t lanes_of_16 __attribute__((vector_size(16)));
typedef uint32_t lanes_of_32 __attribute__((vector_size(16)));
typedef int8_t signed_v128 __attribute__((vector_size(16)));
typedef v128_t v128_anywhere __attribute__((aligned(1), may_alias));

static inline v128_t wasm_v128_load(const void *at) { return *(const v128_anywhere *)at; }

static inline v128_t wasm_i8x16_ne(v128_t a, v128_t b) { return (v128_t)(a != b); }

static inline uint32_t wasm_i8x16_bitmask(v128_t a) {
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < 16; lane += 1) mask |= (uint32_t)(a[lane] >> 7) << lane;
  return mask;
}

// Lanes of `a`, then of `b`, counted from 0 to 31.
#define wasm_i8x16_shuffle(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define wasm_i32x4_shuffle(a, b, ...) \
  ((v128_t)__builtin_shufflevector((lanes_of_32)(a), (lanes_of_32)(b), __VA_ARGS__))

static inline v128_t wasm_i8x16_splat(int8_t value) {
  uint8_t lane = (uint8_t)value;
  return (v128_t){lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane, lane};
}

static inline int wasm_v128_any_true(v128_t a) {
  v128_t none = {0};
  return __builtin_memcmp(&a, &none, sizeof a) != 0;
}

static inline v128_t wasm_v128_and(v128_t a, v128_t b) { return a & b; }
static inline v128_t wasm_v128_or(v128_t a, v128_t b) { return a | b; }
static inline v128_t wasm_i32x4_eq(v128_t a, v128_t b) { return (v128_t)((lanes_of_32)a == (lanes_of_32)b); }
static inline v128_t wasm_i8x16_add(v128_t a, v128_t b) { return a + b; }
static inline v128_t wasm_i8x16_sub(v128_t a, v128_t b) { return a - b; }
static inline v128_t wasm_i8x16_lt(v128_t a, v128_t b) { return (v128_t)((signed_v128)a < (signed_v128)b); }
static inline v128_t wasm_i16x8_shl(v128_t a, uint32_t bits) { return (v128_t)((lanes_of_16)a << (bits % 16)); }
