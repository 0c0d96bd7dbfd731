import { OP_COPY_FIRST, OP_LITERAL_FIRST_WIDTH, OP_LITERAL_MAX_INLINE, widthCode } from './format.js';

/** Bytes with the view through which integers are written. */
export interface CommandBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Below this a loop copies bytes faster than `set` makes its view. */
const SHORT_TEXT_BYTES = 64;

/** Writes a copy command at `at`, which takes at most COMMAND_HEADER_MAX_BYTES; returns where it ends. */
export function putCopy(into: CommandBytes, at: number, offset: number, length: number): number {
  const offsetCode = widthCode(offset);
  const lengthCode = widthCode(length);
  into.view.setUint8(at, OP_COPY_FIRST + 4 * offsetCode + lengthCode);
  return putInteger(into.view, putInteger(into.view, at + 1, offset, offsetCode), length, lengthCode);
}

/** Writes the command of a literal of `length` bytes, without the bytes; returns where it ends. */
export function putLiteralHeader({ view }: CommandBytes, at: number, length: number): number {
  if (length <= OP_LITERAL_MAX_INLINE) {
    view.setUint8(at, length);
    return at + 1;
  }
  const code = widthCode(length);
  view.setUint8(at, OP_LITERAL_FIRST_WIDTH + code);
  return putInteger(view, at + 1, length, code);
}

/** Copies `length` bytes of `from`, from `start` on, to `at`; returns where they end. */
export function putText(to: Uint8Array, at: number, from: Uint8Array, start: number, length: number): number {
  if (length > SHORT_TEXT_BYTES) to.set(from.subarray(start, start + length), at);
  else for (let i = 0; i < length; i += 1) to[at + i] = from[start + i]!;
  return at + length;
}

/** Writes `value` as a big-endian integer of `2 ** code` bytes; returns where it ends. */
export function putInteger(view: DataView, at: number, value: number, code: 0 | 1 | 2 | 3): number {
  if (code === 0) view.setUint8(at, value);
  else if (code === 1) view.setUint16(at, value);
  else if (code === 2) view.setUint32(at, value);
  else view.setBigUint64(at, BigInt(value));
  return at + (1 << code);
}
