import { LzStream } from './lz-stream.js';

/*
 * LZ4 block (lz4 doc/lz4_Block_format.md): sequences of
 *
 *   token LLLLMMMM, [more of L], L literals, u16 distance, [more of M], a match of 4 + M bytes
 *
 * where a field of 15 goes on in the next bytes, up to and with the first that is not 255. The last sequence ends after
 * its literals. squashfs stores such blocks without the LZ4 frame around them.
 */
const FIELD_MAX = 15;
const MIN_MATCH_BYTES = 4;

/**
 * Unpacks one LZ4 block. Any input is safe. Needs `maxOutputBytes` of memory, and time in proportion to it and the
 * input.
 *
 * @throws FORMAT where the block is damaged, cut off, or unpacks to more than `maxOutputBytes`.
 */
export function decompressLz4Block(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const stream = new LzStream('lz4', bytes, maxOutputBytes);
  for (;;) {
    const token = stream.readByte();
    stream.copyLiterals(readLength(stream, token >> 4));
    if (stream.remainingInputBytes === 0) return stream.unpacked();
    const distance = stream.readByte() | (stream.readByte() << 8);
    stream.copyMatch(distance, MIN_MATCH_BYTES + readLength(stream, token & FIELD_MAX));
  }
}

function readLength(stream: LzStream, field: number): number {
  if (field < FIELD_MAX) return field;
  let length = field;
  let byte = stream.readByte();
  while (byte === 255) {
    length += byte;
    byte = stream.readByte();
  }
  return length + byte;
}
