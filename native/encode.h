// A segment's copies, and what is left between them, as commands (docs/delta-algorithm.md, step 4; src/delta/format.ts
// draws the stream).
#pragma once

#include "abi.h"
#include "runs.h"

#define OP_LITERAL_MAX_INLINE 0x40
#define OP_LITERAL_FIRST_WIDTH 0x41
#define OP_COPY_FIRST 0x45
#define LITERAL_MAX_BYTES 32768
// A run of the target is copied in at most this many pieces, where the base's runs are short; the rest is literal.
#define RUN_PIECES_MAX 4096
// Longer texts are copied by one instruction, which takes a call.
#define SHORT_TEXT_BYTES 128

struct encoder {
  struct encoded *out;
  uint8_t *at;
  // The last copy, which the next one may continue; none when its length is 0.
  int64_t position;
  int64_t length;
  uint32_t copy_commands;
  uint32_t literal_commands;
  int64_t copied_bytes;
  int64_t literal_bytes;
};

// log2 of the bytes, out of 1, 2, 4 and 8, that `value` needs.
static inline uint32_t width_code(uint64_t value) {
  if (value < 0x100) return 0;
  if (value < 0x10000) return 1;
  return value < 0x100000000 ? 2 : 3;
}

static inline uint8_t *put_integer(uint8_t *at, uint64_t value, uint32_t code) {
  for (uint32_t byte = 1u << code; byte > 0; byte -= 1) *at++ = (uint8_t)(value >> (8 * (byte - 1)));
  return at;
}

static inline void put_text(uint8_t *to, const uint8_t *from, uint32_t length) {
  if (length > SHORT_TEXT_BYTES) {
    __builtin_memcpy(to, from, length);
    return;
  }
  for (uint32_t i = 0; i < length; i += 1) to[i] = from[i];
}

// Whether the segment has given neither a command nor its lead yet.
static inline int at_start(const struct encoder *encoder) {
  return encoder->at == encoder->out->body && encoder->out->lead_length == 0;
}

static void end_copy(struct encoder *encoder) {
  if (encoder->length == 0) return;
  if (at_start(encoder)) {
    encoder->out->lead_position = (double)encoder->position;
    encoder->out->lead_length = (double)encoder->length;
  } else {
    uint32_t position_code = width_code((uint64_t)encoder->position);
    uint32_t length_code = width_code((uint64_t)encoder->length);
    *encoder->at++ = (uint8_t)(OP_COPY_FIRST + 4 * position_code + length_code);
    encoder->at = put_integer(encoder->at, (uint64_t)encoder->position, position_code);
    encoder->at = put_integer(encoder->at, (uint64_t)encoder->length, length_code);
    encoder->copy_commands += 1;
    encoder->copied_bytes += encoder->length;
  }
  encoder->length = 0;
}

static void add_copy(struct encoder *encoder, int64_t position, uint32_t length) {
  if (encoder->length > 0 && position == encoder->position + encoder->length) {
    encoder->length += length;
    return;
  }
  end_copy(encoder);
  encoder->position = position;
  encoder->length = length;
}

static void add_literal(struct encoder *encoder, const uint8_t *text, uint32_t length) {
  if (length == 0) return;
  end_copy(encoder);
  encoder->literal_bytes += length;
  while (length > 0) {
    uint32_t piece = length < LITERAL_MAX_BYTES ? length : LITERAL_MAX_BYTES;
    if (piece <= OP_LITERAL_MAX_INLINE) {
      *encoder->at++ = (uint8_t)piece;
    } else {
      uint32_t code = width_code(piece);
      *encoder->at++ = (uint8_t)(OP_LITERAL_FIRST_WIDTH + code);
      encoder->at = put_integer(encoder->at, piece, code);
    }
    put_text(encoder->at, text, piece);
    encoder->at += piece;
    encoder->literal_commands += 1;
    text += piece;
    length -= piece;
  }
}

// Copies a run of the target in pieces as long as the base has them; returns how much of it is done.
static uint32_t add_run(struct encoder *encoder, uint32_t length, double position, double available) {
  uint32_t done = 0;
  for (uint32_t piece = 0; piece < RUN_PIECES_MAX && length - done >= RUN_MIN_BYTES; piece += 1) {
    uint32_t bytes = available < length - done ? (uint32_t)available : length - done;
    add_copy(encoder, (int64_t)position, bytes);
    done += bytes;
  }
  return done;
}

// Literals, but for runs of which the base has some, too.
static void add_gap(struct encoder *encoder, const struct core *core, uint32_t from, uint32_t to) {
  const uint8_t *bytes = core->segment;
  uint32_t done = from;
  struct run run = {from, from};
  while (next_run(bytes, run.end, to, &run)) {
    uint8_t value = bytes[run.start];
    double available = core->base_runs[BYTE_VALUES + value];
    if (available == 0) continue;
    add_literal(encoder, bytes + done, run.start - done);
    done = run.start + add_run(encoder, run.end - run.start, core->base_runs[value], available);
  }
  add_literal(encoder, bytes + done, to - done);
}

// Writes a segment of `length` bytes with `count` copies in core->filled to `out`.
static void encode_segment(const struct core *core, uint32_t count, uint32_t length, struct encoded *out) {
  struct encoder encoder = {.out = out, .at = out->body};
  out->lead_position = out->lead_length = 0;
  uint32_t done = 0;
  for (uint32_t n = 0; n < count; n += 1) {
    uint32_t start = core->filled.starts[n];
    add_gap(&encoder, core, done, start);
    add_copy(&encoder, (int64_t)core->filled.positions[n], core->filled.lengths[n]);
    done = start + core->filled.lengths[n];
  }
  add_gap(&encoder, core, done, length);
  if (at_start(&encoder)) end_copy(&encoder);
  out->tail_position = (double)encoder.position;
  out->tail_length = (double)encoder.length;
  out->body_bytes = (double)(encoder.at - out->body);
  out->copy_commands = encoder.copy_commands;
  out->copied_bytes = (double)encoder.copied_bytes;
  out->literal_commands = encoder.literal_commands;
  out->literal_bytes = (double)encoder.literal_bytes;
}
