import { u32 } from '../little-endian.js';

/** CALL and JMP with a 32 bit operand. */
const OPCODES = 0xe8;
const OPCODE_MASK = 0xfe;
const OPERAND_BYTES = 4;

/**
 * Undoes the xz format's x86 filter (.xz file format, section 5.3.2) in place: operands of CALL and JMP, which the
 * filter made absolute, become relative to their place again.
 *
 * Bytes that look like an opcode may be the operand of another. The filter leaves an operand alone when its top byte is
 * neither 0 nor 0xFF, and remembers which of the last bytes looked like opcodes whose operand it left alone: they may
 * be what really is there. `suspects` has a bit for each of the three bytes before the present one.
 */
export function undoX86(bytes: Uint8Array): void {
  let suspects = 0;
  let lastAt = -OPERAND_BYTES;
  for (let at = 0; at + OPERAND_BYTES < bytes.length; at += 1) {
    if ((bytes[at]! & OPCODE_MASK) !== OPCODES) continue;
    const gap = at - lastAt;
    lastAt = at;
    suspects = gap > 3 ? 0 : (suspects << (gap - 1)) & 7;
    if (isPlausible(bytes, at, suspects) && isSignByte(bytes[at + OPERAND_BYTES]!)) {
      writeOperand(bytes, at + 1, relativeOperand(u32(bytes, at + 1), at + 1 + OPERAND_BYTES, suspects));
      at += OPERAND_BYTES;
      suspects = 0;
    } else {
      suspects = (suspects << 1) | 1;
    }
  }
}

/** With one suspect the operand byte next to it must not be a sign byte; two adjoining ones rule out an operand. */
function isPlausible(bytes: Uint8Array, at: number, suspects: number): boolean {
  if (suspects === 0) return true;
  if (suspects !== 1 && suspects !== 2 && suspects !== 4) return false;
  return !isSignByte(bytes[at + OPERAND_BYTES - bytesBehind(suspects)]!);
}

/** How many operand bytes overlap with those of the oldest suspect. */
function bytesBehind(suspects: number): number {
  return 32 - Math.clz32(suspects);
}

function isSignByte(byte: number): boolean {
  return byte === 0 || byte === 0xff;
}

/**
 * Where the byte next to the suspect would have become a sign byte, the filter inverted what is below it and added
 * again; this takes that back.
 */
function relativeOperand(absolute: number, next: number, suspects: number): number {
  let relative = (absolute - next) | 0;
  if (suspects !== 0) {
    const shift = 32 - 8 * bytesBehind(suspects);
    if (isSignByte((relative >>> (shift - 8)) & 0xff)) relative = ((relative ^ (2 ** shift - 1)) - next) | 0;
  }
  // 25 bits, and their sign.
  return (relative << 7) >> 7;
}

function writeOperand(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < OPERAND_BYTES; i += 1) bytes[at + i] = value >> (8 * i);
}
