// One trial of the signature core: the signature of a base, as it is or damaged, is indexed and searched for in a
// target that comes piece by piece. Every area is an allocation of its own and has the bytes that signature-abi.h asks
// for and none more. What is found has to be what a search finds that computes all sums and compares them with all
// others.
#pragma once

#include "../signature-abi.h"
#include "check.h"
#include "pair.h"

#define BLOCK_MAX_BYTES 600
#define WEAK_SUM_BYTES 4
#define NOTHING UINT32_MAX

struct signature {
  struct signature_kind kind;
  uint32_t blocks;
  uint8_t *entries;
};

static inline uint32_t entry_size(const struct signature_kind *kind) { return WEAK_SUM_BYTES + kind->strong_bytes; }

static inline uint32_t strong_limit(uint32_t strong) { return strong == MD4 ? 16 : 32; }

static inline struct signature_kind choose_kind(struct choices *choices) {
  struct signature_kind kind = {.weak = choose(choices, 2)};
  kind.strong = choose(choices, 2);
  kind.block_bytes = 1 + choose_size(choices, BLOCK_MAX_BYTES - 1);
  uint32_t limit = strong_limit(kind.strong);
  kind.strong_bytes = choose(choices, 2) == 0 ? limit : 1 + choose(choices, limit);
  return kind;
}

static inline struct signature make_signature(const struct signature_kind *kind, const struct text *base) {
  struct signature signature = {.kind = *kind};
  signature.blocks = (base->size + kind->block_bytes - 1) / kind->block_bytes;
  signature.entries = new_area(signature.blocks, entry_size(kind));
  uint8_t *bytes = exact_copy(base->bytes, base->size);
  sum_blocks(kind, bytes, base->size, signature.entries);
  free(bytes);
  return signature;
}

// Entries of other blocks, entries that differ in the strong sum alone, and bytes that are no sums of anything.
static inline void damage(struct choices *choices, struct signature *signature) {
  uint32_t size = entry_size(&signature->kind);
  for (uint32_t left = 1 + choose(choices, 8); left > 0 && signature->blocks > 0; left -= 1) {
    uint8_t *from = signature->entries + choose(choices, signature->blocks) * size;
    uint32_t first = choose(choices, signature->blocks);
    uint32_t count = 1 + choose_size(choices, signature->blocks - first - 1);
    uint8_t *entries = signature->entries + first * size;
    switch (choose(choices, 3)) {
      case 0:
        for (uint32_t n = 0; n < count; n += 1) memmove(entries + n * size, from, size);
        break;
      case 1:
        for (uint32_t n = 0; n < count; n += 1) {
          memmove(entries + n * size, from, size);
          entries[n * size + WEAK_SUM_BYTES] ^= (uint8_t)(n % 3);
        }
        break;
      default:
        choose_bytes(choices, entries, count * size);
    }
  }
}

static inline struct block_index new_block_index(struct choices *choices, const struct signature *signature) {
  uint32_t blocks = signature->blocks;
  struct block_index index = {.kind = signature->kind, .blocks = blocks, .entries = signature->entries};
  index.start_bits = 1 + choose(choices, 12);
  index.coarse_bits = 5 + choose(choices, 8);
  index.fine_bits = 5 + choose(choices, 12);
  index.keys = new_area(blocks, sizeof *index.keys);
  index.numbers = new_area(blocks, sizeof *index.numbers);
  index.scratch = new_area(2 * (size_t)blocks, sizeof *index.scratch);
  index.starts = new_area((1u << index.start_bits) + 1, sizeof *index.starts);
  index.fine = new_area(1u << (index.fine_bits - 3), 1);
  index.coarse = new_area(1u << (index.coarse_bits - 3), 1);
  index_blocks(&index);
  CHECK(index.found <= blocks, "%u of %u blocks", index.found, blocks);
  free(index.scratch);
  index.scratch = NULL;
  return index;
}

static inline void free_block_index(struct block_index *index) {
  free(index->keys);
  free(index->numbers);
  free(index->starts);
  free(index->fine);
  free(index->coarse);
}

// What was found so far: for each byte of the target where it comes from, the block, or NOTHING.
struct found {
  const struct signature *signature;
  const struct text *target;
  uint32_t *blocks;
  uint32_t done;
};

// Whether `length` bytes of the target have the sums of the block.
static inline int has_sums(const struct found *found, uint32_t at, uint32_t length, uint32_t block) {
  uint32_t size = entry_size(&found->signature->kind);
  uint8_t *bytes = exact_copy(found->target->bytes + at, length);
  uint8_t *entry = new_area(size, 1);
  sum_blocks(&found->signature->kind, bytes, length, entry);
  int same = memcmp(entry, found->signature->entries + (size_t)block * size, size) == 0;
  free(bytes);
  free(entry);
  return same;
}

static inline void take_run(struct found *found, const struct run *run, uint32_t piece, uint32_t piece_bytes) {
  uint32_t block_bytes = found->signature->kind.block_bytes;
  CHECK(run->length > 0 && run->start <= piece_bytes && run->length <= piece_bytes - run->start,
        "a run of %u bytes at %u of a piece of %u", run->length, run->start, piece_bytes);
  CHECK(piece + run->start >= found->done, "a run at %u before %u", piece + run->start, found->done);
  uint32_t block = run->block;
  for (uint32_t at = 0; at < run->length; at += block_bytes, block += 1) {
    uint32_t length = run->length - at < block_bytes ? run->length - at : block_bytes;
    uint32_t place = piece + run->start + at;
    CHECK(length == block_bytes || place + length == found->target->size, "a short block in the midst, at %u", place);
    CHECK(block < found->signature->blocks, "block %u of %u", block, found->signature->blocks);
    CHECK(has_sums(found, place, length, block), "block %u is not at %u", block, place);
    for (uint32_t n = 0; n < length; n += 1) found->blocks[place + n] = block;
  }
  found->done = piece + run->start + run->length;
}

// Searches the target in pieces, each in a text of exactly its size: what is left of one starts the next.
static inline void search_all(struct choices *choices, const struct block_index *index, struct found *found,
                              double patience) {
  uint32_t size = found->target->size;
  struct search search = {.patience = patience, .index = index, .next_block = NOTHING};
  search.max_runs = 1 + choose(choices, 20);
  search.runs = new_area(search.max_runs, sizeof *search.runs);
  uint32_t piece_bytes = index->kind.block_bytes + choose_size(choices, size);
  for (uint32_t piece = 0; !search.final;) {
    uint32_t length = size - piece < piece_bytes ? size - piece : piece_bytes;
    uint8_t *text = exact_copy(found->target->bytes + piece, length);
    search.text = text;
    search.length = length;
    search.at = 0;
    search.final = piece + length == size;
    uint32_t least = search.final ? 1 : index->kind.block_bytes;
    uint32_t rounds = 0;
    do {
      uint32_t before = search.at;
      uint32_t count = search_blocks(&search);
      CHECK(count <= search.max_runs && search.at >= before && search.at <= length, "%u runs up to %u of %u", count,
            search.at, length);
      CHECK(count == search.max_runs || length - search.at < least, "a search ended at %u of %u", search.at, length);
      for (uint32_t n = 0; n < count; n += 1) take_run(found, &search.runs[n], piece, length);
      CHECK(piece + search.at >= found->done, "a search ended at %u, before what it found", search.at);
      CHECK(rounds++ <= length, "a search that does not end");
    } while (length - search.at >= least);
    piece += search.at;
    free(text);
  }
  free(search.runs);
}

// The block that has the sums of these bytes: `next` if it does, else the first, else NOTHING.
static inline uint32_t block_with(const struct signature *signature, const uint8_t *entry, uint32_t next) {
  uint32_t size = entry_size(&signature->kind);
  if (next < signature->blocks && memcmp(signature->entries + (size_t)next * size, entry, size) == 0) return next;
  for (uint32_t block = 0; block < signature->blocks; block += 1) {
    if (memcmp(signature->entries + (size_t)block * size, entry, size) == 0) return block;
  }
  return NOTHING;
}

// What has to be found: at each place the sums are computed and looked for, one by one.
static inline void expect_all(const struct found *found) {
  const struct text *target = found->target;
  const struct signature_kind *kind = &found->signature->kind;
  uint8_t *entry = new_area(entry_size(kind), 1);
  uint32_t next = NOTHING;
  for (uint32_t at = 0; at < target->size;) {
    uint32_t length = target->size - at < kind->block_bytes ? target->size - at : kind->block_bytes;
    sum_blocks(kind, target->bytes + at, length, entry);
    uint32_t block = block_with(found->signature, entry, next);
    CHECK(found->blocks[at] == block, "block %u at %u, where %u is", found->blocks[at], at, block);
    at += block == NOTHING ? 1 : length;
    if (block != NOTHING) next = block + 1;
  }
  free(entry);
}

// Whole sums are those of the same bytes.
static inline void expect_equal_bytes(const struct text *base, const struct found *found) {
  uint32_t block_bytes = found->signature->kind.block_bytes;
  for (uint32_t at = 0; at < found->target->size;) {
    uint32_t block = found->blocks[at];
    if (block == NOTHING) {
      at += 1;
      continue;
    }
    uint32_t start = block * block_bytes;
    uint32_t length = base->size - start < block_bytes ? base->size - start : block_bytes;
    CHECK(length <= found->target->size - at, "block %u is too long for what is at %u", block, at);
    CHECK(memcmp(base->bytes + start, found->target->bytes + at, length) == 0, "block %u is not at %u", block, at);
    at += length;
  }
}

static inline void run_signature_trial(struct choices *choices, uint32_t most_bytes) {
  struct signature_kind kind = choose_kind(choices);
  int is_damaged = choose(choices, 2);
  struct pair pair = choose_pair(choices, most_bytes);
  struct signature signature = make_signature(&kind, &pair.base);
  if (is_damaged) damage(choices, &signature);
  struct block_index index = new_block_index(choices, &signature);
  struct found found = {.signature = &signature, .target = &pair.target};
  found.blocks = new_area(pair.target.size, sizeof *found.blocks);
  memset(found.blocks, 0xff, pair.target.size * sizeof *found.blocks);
  // Made-up sums can use all of it up.
  int is_patient = choose(choices, 4) != 3;
  double patience = is_patient ? 1e15 : choose_size(choices, most_bytes);
  search_all(choices, &index, &found, patience);
  if (is_patient) expect_all(&found);
  if (!is_damaged && kind.strong_bytes == strong_limit(kind.strong)) expect_equal_bytes(&pair.base, &found);
  free(found.blocks);
  free_block_index(&index);
  free(signature.entries);
  free_pair(&pair);
}
