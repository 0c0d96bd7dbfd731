// What JavaScript (src/delta/signature-core.ts) and the signature core agree on. docs/signatures.md says what it computes.
//
// The core allocates nothing and has no variables. All its state is in the structs and areas below; JavaScript decides
// where they lie, writes their addresses and hands the address of a struct to each call. Everything but the areas that
// are said to be written is only read.
#pragma once

#include <stdint.h>

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(name)))
#else
#define EXPORT(name)
#endif

enum weak_kind { ROLLSUM, RABIN_KARP };
enum strong_kind { MD4, BLAKE2B };

// What the header of a signature says. On wasm32 four words of 32 bits.
struct signature_kind {
  uint32_t weak;
  uint32_t strong;
  // Bytes of a block, at least 1, less than 2^31.
  uint32_t block_bytes;
  // Bytes of the strong sum that an entry holds, from 1 to 16 (MD4) or 32 (BLAKE2b).
  uint32_t strong_bytes;
};

// Export: writes the entry of each block of `bytes` to `entries`, as a signature file has them: the weak sum, big-endian,
// and the first strong_bytes bytes of the strong sum. The last block may be short.
EXPORT("sum_blocks")
void sum_blocks(const struct signature_kind *kind, const uint8_t *bytes, uint32_t length, uint8_t *entries);

// The entries of a signature in an order in which they are found. On wasm32 16 words of 32 bits; JavaScript writes
// all but `found` before the first call.
struct block_index {
  struct signature_kind kind;
  // Entries in the signature.
  uint32_t blocks;
  const uint8_t *entries;
  // Written, room for `blocks` each: of all blocks with the same two sums the first one, by scrambled weak sum, then by
  // strong sum: its scrambled weak sum and its number.
  uint32_t *keys;
  uint32_t *numbers;
  // Written, scratch for sorting: room for twice as many numbers as `blocks`. It may lie where `starts` and `fine` do.
  uint32_t *scratch;
  // Written: for each value of a key's start_bits top bits, from 1 to 28, how many keys are below it; and one more.
  uint32_t *starts;
  // Written: a bit for each value of a key's fine_bits top bits, from 5 to 32, set where there is such a key; and the
  // same for fewer bits, so that it stays in the processor's cache.
  uint8_t *fine;
  uint8_t *coarse;
  uint32_t start_bits;
  uint32_t fine_bits;
  uint32_t coarse_bits;
  // Written: how many keys and numbers there are.
  uint32_t found;
};

// Export: writes keys, numbers, starts, fine and coarse.
EXPORT("index_blocks") void index_blocks(struct block_index *index);

// A part of the text that equals consecutive blocks, the first of which is `block`. Only the last of them may be short.
struct run {
  uint32_t start;
  uint32_t length;
  uint32_t block;
};

// The search for blocks in a text that comes piece by piece. On wasm32 a double, then eight words of 32 bits.
struct search {
  // Bytes whose strong sum may still be computed in vain. Written: it goes down by a block for each that was.
  double patience;
  const struct block_index *index;
  // The piece: `length` bytes, from `at` on not yet searched. Written: `at` is where the search goes on.
  const uint8_t *text;
  uint32_t length;
  uint32_t at;
  // Whether the text ends with this piece.
  uint32_t final;
  // Written: the block that would continue the last run.
  uint32_t next_block;
  // Written, room for max_runs, at least 1: parts of the piece in their order, without overlaps.
  struct run *runs;
  uint32_t max_runs;
};

// Export: searches the piece until less than a block is left (with `final`, until nothing is) or until there is no room
// for runs; returns their number. What lies before `at` and in no run equals no block.
EXPORT("search_blocks") uint32_t search_blocks(struct search *search);
