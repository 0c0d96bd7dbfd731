// Where a trial takes its decisions from: pseudo-random numbers, or the bytes that a fuzzer made up. Both have the same
// pairs and parameters made of them.
#pragma once

#include <stdint.h>
#include <string.h>

struct choices {
  // State of the generator, which serves where there are no bytes.
  uint64_t state;
  // The fuzzer's bytes that are left; after the last one each choice is the first.
  int given;
  const uint8_t *bytes;
  size_t left;
};

static inline struct choices choices_from_seed(uint64_t seed) { return (struct choices){.state = seed}; }

static inline struct choices choices_from_bytes(const uint8_t *bytes, size_t size) {
  return (struct choices){.given = 1, .bytes = bytes, .left = size};
}

// SplitMix64: a counter, and a mixing of its bits.
static inline uint64_t next_number(uint64_t *state) {
  uint64_t value = *state += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// A number below `limit`, which is at least 1.
static inline uint32_t choose(struct choices *choices, uint32_t limit) {
  if (!choices->given) return (uint32_t)(((next_number(&choices->state) >> 32) * limit) >> 32);
  uint32_t value = 0;
  for (uint32_t reach = limit - 1; reach > 0 && choices->left > 0; reach >>= 8) {
    value = value << 8 | *choices->bytes++;
    choices->left -= 1;
  }
  return value % limit;
}

// A size of at most `most`, small ones as likely as large ones, and those around powers of two likelier than others.
static inline uint32_t choose_size(struct choices *choices, uint32_t most) {
  uint32_t bits = choose(choices, 33 - (most == 0 ? 32 : (uint32_t)__builtin_clz(most)));
  if (bits == 0) return 0;
  uint32_t power = 1u << (bits - 1);
  uint32_t size = choose(choices, 4) == 0 ? power + choose(choices, 5) - 2 : power + choose(choices, power);
  // Two below a small power is below 0.
  return size <= most ? size : (int32_t)size < 0 ? 0 : most;
}

// Fills `size` bytes with what compresses badly: from a generator of their own, so that a fuzzer need not make them up.
static inline void choose_bytes(struct choices *choices, uint8_t *bytes, uint32_t size) {
  uint64_t state = choose(choices, 65536);
  for (uint32_t done = 0; done < size; done += 8) {
    uint64_t number = next_number(&state);
    memcpy(bytes + done, &number, size - done < 8 ? size - done : 8);
  }
}
