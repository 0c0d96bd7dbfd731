import { LzStream } from './lz-stream.js';

/*
 * LZO1X stream (Linux Documentation/staging/lzo.rst, "Byte sequences"; bitstream version 0, what liblzo2 and
 * mksquashfs write). S are literals to copy after the match, H:D the distance, L the length; L = 0 in the three
 * longer forms means that the length goes on in the next bytes (readLength).
 *
 *   0000LLLL                   literals: 3 + L, where no literal came before
 *   0000DDSS H                 match: 2 bytes, distance 1 + (H << 2) + D, after 1 to 3 literals
 *                              match: 3 bytes, distance 2049 + (H << 2) + D, after 4 or more
 *   0001HLLL DDDDDDSS DDDDDDDD match: 2 + L bytes, distance 16384 + (H << 14) + D; distance 16384 ends the stream
 *   001LLLLL DDDDDDSS DDDDDDDD match: 2 + L bytes, distance 1 + D
 *   01LDDDSS H                 match: 3 + L bytes, distance 1 + (H << 3) + D
 *   1LLDDDSS H                 match: 5 + L bytes, distance 1 + (H << 3) + D
 *
 * A first byte above 17 is its own form: that many literals, less 17.
 */
const FIRST_LITERALS = 17;
const END_DISTANCE = 16384;
/** What "4 or more literals" counts as. */
const MANY = 4;

interface Match {
  readonly lengthBytes: number;
  readonly distanceBytes: number;
  /** Literals after the match, 0 to 3. */
  readonly literals: number;
}

/**
 * Unpacks one LZO1X stream. Any input is safe. Needs `maxOutputBytes` of memory, and time in proportion to it and the
 * input.
 *
 * @throws FORMAT where the stream is damaged, cut off, followed by other bytes, or unpacks to more than
 * `maxOutputBytes`.
 */
export function decompressLzo1x(bytes: Uint8Array, maxOutputBytes: number): Uint8Array {
  const stream = new LzStream('lzo', bytes, maxOutputBytes);
  let literals = copyFirstLiterals(stream);
  for (;;) {
    const opcode = stream.readByte();
    if (opcode < 16 && literals === 0) {
      stream.copyLiterals(3 + readLength(stream, opcode, 15));
      literals = MANY;
      continue;
    }
    const match = readMatch(stream, opcode, literals);
    if (opcode >= 16 && opcode < 32 && match.distanceBytes === END_DISTANCE) return finish(stream, match);
    stream.copyMatch(match.distanceBytes, match.lengthBytes);
    stream.copyLiterals(match.literals);
    literals = match.literals;
  }
}

function copyFirstLiterals(stream: LzStream): number {
  const first = stream.input[0];
  if (first === undefined || first <= FIRST_LITERALS) return 0;
  stream.inputAt = 1;
  stream.copyLiterals(first - FIRST_LITERALS);
  return Math.min(first - FIRST_LITERALS, MANY);
}

function readMatch(stream: LzStream, opcode: number, literals: number): Match {
  if (opcode >= 64) {
    const lengthBytes = opcode >= 128 ? 5 + ((opcode >> 5) & 3) : 3 + ((opcode >> 5) & 1);
    const distanceBytes = 1 + (stream.readByte() << 3) + ((opcode >> 2) & 7);
    return { lengthBytes, distanceBytes, literals: opcode & 3 };
  }
  if (opcode < 16) {
    const distanceBytes = 1 + (stream.readByte() << 2) + (opcode >> 2);
    const far = literals === MANY;
    return { lengthBytes: far ? 3 : 2, distanceBytes: distanceBytes + (far ? 2048 : 0), literals: opcode & 3 };
  }
  const near = opcode >= 32;
  const lengthBytes = 2 + (near ? readLength(stream, opcode & 31, 31) : readLength(stream, opcode & 7, 7));
  const operand = stream.readByte() | (stream.readByte() << 8);
  const base = near ? 1 : END_DISTANCE + ((opcode & 8) << 11);
  return { lengthBytes, distanceBytes: base + (operand >> 2), literals: operand & 3 };
}

/** A length that did not fit its field: the field's maximum, 255 for each zero byte, and the first other byte. */
function readLength(stream: LzStream, field: number, fieldMax: number): number {
  if (field !== 0) return field;
  let length = fieldMax;
  let byte = stream.readByte();
  while (byte === 0) {
    length += 255;
    byte = stream.readByte();
  }
  return length + byte;
}

/** The end marker is 0x11 0 0: a match of 3 bytes and no literals. */
function finish(stream: LzStream, { lengthBytes, literals }: Match): Uint8Array {
  if (lengthBytes !== 3 || literals !== 0) throw stream.damaged('an end marker', 'a malformed one');
  if (stream.remainingInputBytes > 0) throw stream.damaged('its end', `${stream.remainingInputBytes} more bytes`);
  return stream.unpacked();
}
