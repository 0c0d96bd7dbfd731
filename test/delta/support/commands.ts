/** A delta of these commands. */
export function commands(...list: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('72730236', 'hex'), ...list, Buffer.of(0)]);
}

/** A copy command with integers as narrow as they fit. */
export function copy(offset: number, length: number): Buffer {
  const code = (value: number) => (value < 0x100 ? 0 : value < 0x10000 ? 1 : 2);
  const integer = (value: number) => Buffer.from(value.toString(16).padStart(2 << code(value), '0'), 'hex');
  return Buffer.concat([Buffer.of(0x45 + 4 * code(offset) + code(length)), integer(offset), integer(length)]);
}

/** A literal of at most 64 bytes. */
export function literal(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
}
