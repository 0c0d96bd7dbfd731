import { u16, u32 } from '../little-endian.js';
import { undoX86 } from './bcj-x86.js';

/**
 * Undoes a filter in place, on bytes that start at address 0: what it made absolute in branch instructions becomes
 * relative to their place again.
 */
export type UndoFilter = (bytes: Uint8Array) => void;

/**
 * The filters that squashfs may put before LZMA2, by their id (.xz file format, section 5.3.2). IA-64 (id 6), of which
 * no such systems are left, is not among them.
 */
export const BRANCH_FILTERS: ReadonlyMap<number, UndoFilter> = new Map([
  [0x04, undoX86],
  [0x05, undoPowerPc],
  [0x07, undoArm],
  [0x08, undoArmThumb],
  [0x09, undoSparc],
]);

/** `bl` with an absolute-address bit of 0 and a link bit of 1; big-endian, 24 bits of words. */
function undoPowerPc(bytes: Uint8Array): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = bigEndian(bytes, at);
    if ((word & 0xfc000003) !== 0x48000001) continue;
    writeBigEndian(bytes, at, 0x48000001 | (((word & 0x03fffffc) - at) & 0x03fffffc));
  }
}

/** `bl` of any condition "always"; little-endian, 24 bits of words, relative to two instructions on. */
function undoArm(bytes: Uint8Array): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    if (bytes[at + 3] !== 0xeb) continue;
    const target = ((u32(bytes, at) & 0xffffff) << 2) - (at + 8);
    writeLittleEndian(bytes, at, (target >> 2) & 0xffffff, 3);
  }
}

/** A pair of `bl` halves of 11 bits each, relative to the second half's end. */
function undoArmThumb(bytes: Uint8Array): void {
  for (let at = 0; at + 4 <= bytes.length; at += 2) {
    const [high, low] = [u16(bytes, at), u16(bytes, at + 2)];
    if ((high & 0xf800) !== 0xf000 || (low & 0xf800) !== 0xf800) continue;
    const target = ((((high & 0x7ff) << 11) | (low & 0x7ff)) << 1) - (at + 4);
    writeLittleEndian(bytes, at, 0xf000 | ((target >> 12) & 0x7ff), 2);
    writeLittleEndian(bytes, at + 2, 0xf800 | ((target >> 1) & 0x7ff), 2);
  }
}

/** `call` within 22 bits of words, sign included; big-endian. */
function undoSparc(bytes: Uint8Array): void {
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const word = bigEndian(bytes, at);
    const top = word >>> 22;
    if (top !== 0x100 && top !== 0x1ff) continue;
    const words = ((word << 2) - at) >> 2;
    const sign = (words << 9) >> 31;
    writeBigEndian(bytes, at, 0x40000000 | ((sign << 22) & 0x3fffffff) | (words & 0x3fffff));
  }
}

function bigEndian(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function writeBigEndian(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i += 1) bytes[at + i] = value >> (24 - 8 * i);
}

function writeLittleEndian(bytes: Uint8Array, at: number, value: number, byteCount: number): void {
  for (let i = 0; i < byteCount; i += 1) bytes[at + i] = value >> (8 * i);
}
