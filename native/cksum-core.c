// The inner loop of the POSIX checksum; src/io/cksum-core.ts says what it computes and has the same in TypeScript. It
// has no variables: all it touches are the bytes that a call names and the HISTORY_BYTES before them.
#include <stdint.h>

#define NEAR_BYTES 560
#define MIDDLE_BYTES 3164
#define HISTORY_BYTES 12024

typedef uint32_t block __attribute__((vector_size(16), aligned(1), may_alias));

// Each block lies wholly behind the one that it changes, because NEAR_BYTES is more than its size.
static block block_before(const uint8_t *bytes, uint32_t distance) { return *(const block *)(bytes - distance); }

#ifdef __wasm__
__attribute__((export_name("move_bytes")))
#endif
void move_bytes(uint8_t *bytes, uint32_t length) {
  uint8_t *end = bytes + length;
  for (; end - bytes >= (int32_t)sizeof(block); bytes += sizeof(block)) {
    block moved = block_before(bytes, NEAR_BYTES) ^ block_before(bytes, MIDDLE_BYTES);
    *(block *)bytes ^= moved ^ block_before(bytes, HISTORY_BYTES);
  }
  for (; bytes < end; bytes += 1) *bytes ^= bytes[-NEAR_BYTES] ^ bytes[-MIDDLE_BYTES] ^ bytes[-HISTORY_BYTES];
}
