// The anchor table: buckets of eight entries, one cache line each. An entry is tag * 2^36 + position + 1, 0 an empty
// slot, which only empty ones follow.
#pragma once

#include "abi.h"

#define POSITION_BITS 36
#define POSITION_MASK ((1ull << POSITION_BITS) - 1)

// Brings the buckets of the first `count` keys into the cache: these reads overlap, those of a search do not.
static void touch_buckets(struct core *core, uint32_t count) {
  uint32_t sum = 0;
  for (uint32_t n = 0; n < count; n += 1) sum += (uint32_t)core->table[core->keys[n].bucket * BUCKET_SLOTS];
  core->touched = sum;
}

// The lowest position that was inserted with this key, or -1.
static inline int64_t find_key(const struct core *core, const struct key *key) {
  const uint64_t *bucket = core->table + key->bucket * BUCKET_SLOTS;
  for (uint32_t slot = 0; slot < BUCKET_SLOTS; slot += 1) {
    // An empty slot, where a tag of 0 ends, gives -1.
    if (bucket[slot] >> POSITION_BITS == key->tag) return (int64_t)(bucket[slot] & POSITION_MASK) - 1;
  }
  return -1;
}

// Keeps for each tag the lowest position, and of more than eight tags those with the lowest positions.
static inline void insert_in_bucket(uint64_t *bucket, const struct key *key, uint64_t position) {
  uint64_t entry = position + 1;
  uint64_t *victim = bucket;
  uint64_t highest = 0;
  for (uint32_t slot = 0; slot < BUCKET_SLOTS; slot += 1) {
    uint64_t stored = bucket[slot] & POSITION_MASK;
    int ends = bucket[slot] == 0 || bucket[slot] >> POSITION_BITS == key->tag;
    if (ends || stored > highest) {
      victim = &bucket[slot];
      highest = stored == 0 ? POSITION_MASK + 1 : stored;
    }
    if (ends) break;
  }
  if (entry < highest) *victim = ((uint64_t)key->tag << POSITION_BITS) | entry;
}

// The same by any number of threads: the outcome does not depend on their order. A lock is held for a few dozen
// instructions and seldom wanted by two, so it is waited for without sleeping.
static inline void insert_key(const struct core *core, const struct key *key, uint64_t position) {
  uint64_t *bucket = core->table + (uint64_t)key->bucket * BUCKET_SLOTS;
  if (core->locks == 0) {
    insert_in_bucket(bucket, key, position);
    return;
  }
  uint32_t *lock = core->locks + key->bucket % TABLE_LOCKS;
  while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0) continue;
  insert_in_bucket(bucket, key, position);
  __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}
