// What JavaScript (src/delta/wasm-core.ts) and the core agree on. docs/delta-algorithm.md says what the core computes.
//
// The core allocates nothing and has no variables. All its state is in the areas that a `struct
// core` names; JavaScript decides where they and the struct lie, writes the addresses and hands the struct's address to
// each call. Several threads work in one memory so, each with a struct, a stack and areas of its own; they share the
// table and its locks, and the base's longest runs once all of it is indexed.
//
// Positions in files are doubles where they cross the border: exact up to 2^53, and JavaScript's own numbers.
#pragma once

#include <stdint.h>

#define WINDOW_BYTES 32
#define BUCKET_SLOTS 8
#define BYTE_VALUES 256
#define TABLE_LOCKS 65536
// Each page carries this much of the next one, so that short comparisons never cross pages.
#define PAGE_OVERLAP_BYTES 512

// The key of an anchor: where its window starts in the segment, its bucket, and the 28 bits that an entry remembers.
struct key {
  uint32_t start;
  uint32_t bucket;
  uint32_t tag;
};

// Copies in the order of the target, without overlaps: places in the segment, lengths, positions in the base.
struct copies {
  uint32_t *starts;
  uint32_t *lengths;
  double *positions;
};

// A target segment as commands, ready to be joined with those of its neighbours. A copy at its very start or end may
// continue into the next segment, so it stays out of the body: `lead` is a copy that the segment starts with, `tail` one
// that it ends with (of a segment that is one copy, `lead` is all there is). A length of 0 means that there is none. The
// counts are those of the body.
struct encoded {
  double body_bytes;
  double lead_position;
  double lead_length;
  double tail_position;
  double tail_length;
  double copy_commands;
  double copied_bytes;
  double literal_commands;
  double literal_bytes;
  // The commands: room for 9/8 of the segment and 1 KiB.
  uint8_t body[];
};

// On wasm32 a double and 22 words of 32 bits. JavaScript writes all but `touched` before the first call.
struct core {
  double base_bytes;
  // A window is an anchor when that many top bits of its hash are 0.
  uint32_t sample_bits;
  uint32_t buckets;
  // Windows that are sampled and looked up together, at least 1; no result depends on it.
  uint32_t batch_windows;
  // Base pages have 2^page_shift bytes; the cache has room for page_slots of them, each with its overlap.
  uint32_t page_shift;
  uint32_t page_slots;
  // `buckets` times 8 entries, at first all 0, aligned to 64 bytes.
  uint64_t *table;
  // TABLE_LOCKS words, at first all 0, that guard the table's buckets; null where one thread indexes the base.
  uint32_t *locks;
  // Longest runs in what this thread indexed: 256 positions, then 256 lengths, at first all 0.
  double *runs;
  // Longest runs of the whole base, likewise, as match_segment needs them.
  const double *base_runs;
  // The bytes of the segment that a call is about.
  const uint8_t *segment;
  // Room for `batch_windows` each.
  uint32_t *anchors;
  struct key *keys;
  // Copies that hold an anchor: room for segment bytes / 32.
  struct copies matched;
  // Those and the ones in the gaps: room for segment bytes / 10, rounded up.
  struct copies filled;
  // Starts and ends of copies: room for twice as many numbers.
  uint32_t *found;
  // The number of the page in each slot of the cache, at first all -1.
  double *pages;
  uint8_t *cache;
  // Scratch: what a loop read that is there to warm the processor's cache.
  uint32_t touched;
};

#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(name)))
#define IMPORT(name) __attribute__((import_module("env"), import_name(name)))
#else
#define EXPORT(name)
#define IMPORT(name)
#endif

// Import: stores page `page` of the base, and the overlap after it, at `address`, as far as the base reaches. It may
// leave by an exception; the core is then in order, but for the stack pointer, which the caller sets back.
IMPORT("load_page") void load_page(double page, uint8_t *address);

// Export: enters a segment of the base into table and runs. `segment` holds its `length` bytes and the 31 after them
// as far as there are any; the windows that start in the first `windows` bytes are indexed.
EXPORT("index_segment") void index_segment(struct core *core, double start, uint32_t length, uint32_t windows);

// Export: writes the target segment of `length` bytes, whose first byte is the target's at `start`, as commands.
EXPORT("match_segment") void match_segment(struct core *core, double start, uint32_t length, struct encoded *out);
