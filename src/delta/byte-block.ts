import { readBuffer } from '../io/page-aligned.js';

/** Bytes with the two views that fast loops need: single bytes and unaligned words. */
export interface ByteBlock {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function allocateBlock(sizeBytes: number): ByteBlock {
  const bytes = readBuffer(sizeBytes);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, sizeBytes) };
}

/** From here on the C library's comparison pays for its call. */
const LONG_BYTES = 256;
const STRIDE_BYTES = 4096;

/** How many of the `length` bytes of `a` from `i` on equal those of `b` from `j` on, up to the first difference. */
export function equalForward(a: ByteBlock, i: number, b: ByteBlock, j: number, length: number): number {
  let done = equalWords(a.view, i, b.view, j, Math.min(length, LONG_BYTES));
  if (done < LONG_BYTES) return done;
  while (done < length) {
    const stride = Math.min(STRIDE_BYTES, length - done);
    if (a.bytes.compare(b.bytes, j + done, j + done + stride, i + done, i + done + stride) !== 0) break;
    done += stride;
  }
  return done + equalWords(a.view, i + done, b.view, j + done, Math.min(length - done, STRIDE_BYTES));
}

/** How many of the `length` bytes of `a` before `i` equal those of `b` before `j`, down to the first difference. */
export function equalBackward(a: ByteBlock, i: number, b: ByteBlock, j: number, length: number): number {
  const va = a.view;
  const vb = b.view;
  let done = 0;
  while (done + 4 <= length && va.getInt32(i - done - 4, true) === vb.getInt32(j - done - 4, true)) done += 4;
  while (done < length && va.getUint8(i - done - 1) === vb.getUint8(j - done - 1)) done += 1;
  return done;
}

/** Whether all bytes in [from, to) are the same. */
export function isConstant({ bytes }: ByteBlock, from: number, to: number): boolean {
  if (bytes[from] !== bytes[from + 1] || bytes[from] !== bytes[to - 1] || bytes[from] !== bytes[(from + to) >> 1]) {
    return false;
  }
  return bytes.compare(bytes, from + 1, to, from, to - 1) === 0;
}

function equalWords(va: DataView, i: number, vb: DataView, j: number, length: number): number {
  let done = 0;
  while (done + 4 <= length && va.getInt32(i + done, true) === vb.getInt32(j + done, true)) done += 4;
  while (done < length && va.getUint8(i + done) === vb.getUint8(j + done)) done += 1;
  return done;
}
