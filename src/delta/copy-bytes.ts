/** Below this a loop copies bytes faster than `set` makes its view. */
const SHORT_BYTES = 64;

/** Copies `length` bytes from `from`, at `start`, to `to`, at `at`. */
export function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length > SHORT_BYTES) {
    to.set(from.subarray(start, start + length), at);
    return;
  }
  for (let i = 0; i < length; i += 1) to[at + i] = from[start + i]!;
}
