// Applies a delta to the base and compares what comes out with the target, byte by byte. Stricter than librsync: each
// number has to be as short as it can be, and no literal may pass 32 KiB.
#pragma once

#include "base.h"
#include "joiner.h"

struct reader {
  const struct text *delta;
  uint32_t at;
};

static inline uint8_t take_byte(struct reader *reader) {
  CHECK(reader->at < reader->delta->size, "the delta ends in a command, after %u bytes", reader->at);
  return reader->delta->bytes[reader->at++];
}

// A number above 0 that needs all of its 2^width bytes.
static inline uint64_t take_number(struct reader *reader, uint32_t width) {
  uint64_t value = 0;
  for (uint32_t left = 1u << width; left > 0; left -= 1) value = value << 8 | take_byte(reader);
  CHECK(width_of(value) == width, "at %u: %llu in %u bytes", reader->at, (unsigned long long)value, 1u << width);
  return value;
}

static inline void expect_literal(struct reader *reader, const struct text *target, uint32_t done, uint64_t length) {
  CHECK(length > 0 && length <= 32768, "at %u: a literal of %llu bytes", reader->at, (unsigned long long)length);
  CHECK(length <= target->size - done, "at %u: the target is too long", reader->at);
  CHECK(length <= reader->delta->size - reader->at, "at %u: a literal is cut off", reader->at);
  CHECK(memcmp(target->bytes + done, reader->delta->bytes + reader->at, length) == 0,
        "a literal of %llu bytes at %u of the target is wrong", (unsigned long long)length, done);
  reader->at += (uint32_t)length;
}

static inline void expect_copy(const struct text *target, uint32_t done, uint64_t position, uint64_t length) {
  uint64_t end = (uint64_t)base_end();
  CHECK(length > 0 && length <= target->size - done, "a copy of %llu bytes for %u of the target's %u",
        (unsigned long long)length, done, target->size);
  CHECK(position <= end && length <= end - position, "a copy of %llu bytes from %llu of a base of %llu",
        (unsigned long long)length, (unsigned long long)position, (unsigned long long)end);
  for (uint64_t n = 0; n < length; n += 1) {
    CHECK(target->bytes[done + n] == base_byte((int64_t)(position + n)),
          "byte %llu of a copy of %llu from %llu to %u is wrong", (unsigned long long)n, (unsigned long long)length,
          (unsigned long long)position, done);
  }
}

static inline void expect_target(const struct text *delta, const struct text *target) {
  struct reader reader = {delta, 0};
  uint32_t done = 0;
  CHECK(delta->size >= 5 && memcmp(delta->bytes, "rs\x02\x36", 4) == 0, "this is no delta");
  reader.at = 4;
  for (uint8_t op = take_byte(&reader); op != 0; op = take_byte(&reader)) {
    CHECK(op <= 0x54, "at %u: reserved command %02x", reader.at - 1, op);
    uint64_t length;
    if (op < 0x45) {
      length = op <= 0x40 ? op : take_number(&reader, op - 0x41u);
      CHECK(op <= 0x40 || length > 0x40, "at %u: a short literal in the long form", reader.at);
      expect_literal(&reader, target, done, length);
    } else {
      uint64_t position = take_number(&reader, (op - 0x45u) / 4);
      length = take_number(&reader, (op - 0x45u) % 4);
      expect_copy(target, done, position, length);
    }
    done += (uint32_t)length;
  }
  CHECK(reader.at == delta->size, "bytes after the delta's end");
  CHECK(done == target->size, "%u bytes of %u came out", done, target->size);
}
