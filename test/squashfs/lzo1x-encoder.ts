/** One step of unpacking: literals, or a copy of what was unpacked before. */
export type LzStep = { readonly literals: Uint8Array } | { readonly distance: number; readonly length: number };

/** What the steps unpack to, the plain way. */
export function unpackSteps(steps: readonly LzStep[]): number[] {
  const output: number[] = [];
  for (const step of steps) {
    if ('literals' in step) output.push(...step.literals);
    else for (let i = 0; i < step.length; i += 1) output.push(output[output.length - step.distance]!);
  }
  return output;
}

/**
 * The steps as an LZO1X stream (Linux Documentation/staging/lzo.rst), each match in the shortest form that holds it. Two
 * runs of literals may not follow each other, the stream must start with literals, and a match of 2 or of 3 far bytes must
 * come after the literals that its form asks for ({@link fitsLzo1x}).
 */
export function encodeLzo1x(steps: readonly LzStep[]): Uint8Array {
  const output: number[] = [];
  /** Where the last instruction has its two bits for following literals. */
  let stateAt = -1;
  let before = 0;
  for (const step of steps) {
    if ('literals' in step) {
      const count = step.literals.length;
      if (output.length === 0 && count <= 238) output.push(17 + count);
      else if (output.length > 0 && count < 4) output[stateAt] = output[stateAt]! | count;
      else output.push(...lengthBytes(0, count - 3, 15));
      output.push(...step.literals);
      before = count;
    } else {
      stateAt = output.length + pushMatch(output, step.distance, step.length, before);
      before = 0;
    }
  }
  return Uint8Array.from([...output, 0x11, 0, 0]);
}

/** Whether LZO1X has a form for the match after `before` literals. */
export function fitsLzo1x(distance: number, length: number, before: number): boolean {
  if (length === 2) return before >= 1 && before <= 3 && distance <= 1024;
  return distance < 49_152 && length >= 3;
}

/** Yields where, from the match's first byte on, the bits for literals are. */
function pushMatch(output: number[], distance: number, length: number, before: number): number {
  const near = distance - 1;
  const start = output.length;
  if (length === 2 || (length === 3 && before >= 4 && distance > 2048 && distance <= 3072)) {
    const value = length === 2 ? near : near - 2048;
    output.push((value & 3) << 2, value >> 2);
    return 0;
  }
  if (length <= 8 && distance <= 2048) {
    const first = length <= 4 ? 0x40 | ((length - 3) << 5) : 0x80 | ((length - 5) << 5);
    output.push(first | ((near & 7) << 2), near >> 3);
    return 0;
  }
  if (distance <= 16_384) output.push(...lengthBytes(0x20, length - 2, 31), (near << 2) & 0xff, near >> 6);
  else {
    const value = distance - 16_384;
    output.push(...lengthBytes(0x10 | ((value >> 14) << 3), length - 2, 7), (value << 2) & 0xff, (value >> 6) & 0xff);
  }
  return output.length - start - 2;
}

/** An opcode with a length in its low bits, or 0 there and the rest in bytes of its own. */
function lengthBytes(opcode: number, length: number, fieldMax: number): number[] {
  if (length <= fieldMax) return [opcode | length];
  const rest = length - fieldMax;
  const zeros = Math.ceil(rest / 255) - 1;
  return [opcode, ...Array<number>(zeros).fill(0), rest - 255 * zeros];
}
