import type { LzStream } from '../lz-stream.js';
import type { BackwardBits } from './backward-bits.js';

/**
 * A decoding table of Finite State Entropy (RFC 8878, section 4.1): for every state its symbol, and the next state as
 * `nextBase` plus `nextBits` bits of the stream. 2^`log` states.
 */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly nextBits: Uint8Array;
  readonly nextBase: Uint16Array;
}

/** What a table of one kind may have at most. */
export interface FseLimits {
  readonly maxLog: number;
  readonly maxSymbol: number;
}

/**
 * Reads a table's description (section 4.1.1) at the stream's place and moves behind it.
 *
 * @throws FORMAT where it breaks its limits or does not add up.
 */
export function readFseTable(stream: LzStream, { maxLog, maxSymbol }: FseLimits): FseTable {
  const bits = new ForwardBits(stream);
  const log = bits.read(4) + 5;
  if (log > maxLog) throw stream.damaged(`an accuracy of at most ${maxLog} bits`, `${log}`);
  const counts: number[] = [];
  let remaining = 1 << log;
  while (remaining > 0) {
    const count = bits.readCount(remaining);
    counts.push(count);
    remaining -= Math.abs(count);
    if (count === 0) skipZeroCounts(bits, counts);
    if (counts.length > maxSymbol + 1) throw stream.damaged(`at most ${maxSymbol + 1} symbols`, 'more');
  }
  return buildFseTable(log, counts);
}

/** After a count of 0 stands how many more there are: 2 bits, and again as long as they say 3. */
function skipZeroCounts(bits: ForwardBits, counts: number[]): void {
  let repeats: number;
  do {
    repeats = bits.read(2);
    for (let i = 0; i < repeats; i += 1) counts.push(0);
  } while (repeats === 3);
}

/** Bits from the lowest of the first byte upwards, and the stream moved behind the byte of the last one read. */
class ForwardBits {
  private readonly stream: LzStream;
  private byte = 0;
  private unused = 0;

  constructor(stream: LzStream) {
    this.stream = stream;
  }

  read(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) value |= this.readBit() << i;
    return value;
  }

  /**
   * A symbol's count out of `remaining`, -1 for "less than one": values 0 to `remaining` + 1 in as few bits as they
   * need, the low ones with a bit less where that is possible.
   */
  readCount(remaining: number): number {
    const largest = remaining + 1;
    const bits = 31 - Math.clz32(largest);
    const low = this.read(bits);
    const shortValues = 2 ** (bits + 1) - 1 - largest;
    if (low < shortValues) return low - 1;
    return (this.readBit() === 0 ? low : low + 2 ** bits - shortValues) - 1;
  }

  private readBit(): number {
    if (this.unused === 0) {
      this.byte = this.stream.readByte();
      this.unused = 8;
    }
    this.unused -= 1;
    return (this.byte >> (7 - this.unused)) & 1;
  }
}

/**
 * The table for symbol counts that add up to 2^`log`, where -1 counts as one (section 4.1.1, "From normalized
 * distribution to decoding tables").
 */
export function buildFseTable(log: number, counts: readonly number[]): FseTable {
  const size = 1 << log;
  const symbols = spreadSymbols(size, counts);
  const next = counts.map((count) => Math.abs(count));
  const nextBits = new Uint8Array(size);
  const nextBase = new Uint16Array(size);
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state]!;
    const nth = next[symbol]!;
    next[symbol] = nth + 1;
    const bits = log - (31 - Math.clz32(nth));
    nextBits[state] = bits;
    nextBase[state] = (nth << bits) - size;
  }
  return { log, symbols, nextBits, nextBase };
}

/** Symbols of count -1 take one state each from the end, the others step through the rest. */
function spreadSymbols(size: number, counts: readonly number[]): Uint8Array {
  const symbols = new Uint8Array(size);
  let end = size;
  for (const [symbol, count] of counts.entries()) {
    if (count === -1) {
      end -= 1;
      symbols[end] = symbol;
    }
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let state = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let i = 0; i < count; i += 1) {
      symbols[state] = symbol;
      do state = (state + step) & (size - 1);
      while (state >= end);
    }
  }
  return symbols;
}

/** The table of a symbol that is always the same (section 3.1.1.3.2.1.1, RLE_Mode). */
export function constantFseTable(symbol: number): FseTable {
  return {
    log: 0,
    symbols: Uint8Array.of(symbol),
    nextBits: Uint8Array.of(0),
    nextBase: Uint16Array.of(0),
  };
}

/** The state after `state`. */
export function nextState(table: FseTable, state: number, bits: BackwardBits): number {
  return table.nextBase[state]! + bits.read(table.nextBits[state]!);
}
