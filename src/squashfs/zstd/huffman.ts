import { LzStream } from '../lz-stream.js';
import { BackwardBits } from './backward-bits.js';
import { type FseTable, nextState, readFseTable } from './fse-table.js';

const MAX_CODE_BITS = 11;
const MAX_WEIGHTS = 255;

/** A prefix code (RFC 8878, section 4.2): for the next `maxBits` bits the symbol, and how many of them are its code. */
export interface HuffmanTable {
  readonly maxBits: number;
  readonly symbols: Uint8Array;
  readonly lengths: Uint8Array;
}

/**
 * Reads a code's description (section 4.2.1) at the stream's place and moves behind it.
 *
 * @throws FORMAT where the description is damaged or no complete code.
 */
export function readHuffmanTable(stream: LzStream): HuffmanTable {
  const header = stream.readByte();
  const weights =
    header < 128 ? readPackedWeights(stream, header) : readPlainWeights(stream.take((header - 126) >> 1), header - 127);
  return buildHuffmanTable(stream, weights);
}

/** Two weights a byte, the first in the upper half. */
function readPlainWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i % 2 === 0 ? bytes[i >> 1]! >> 4 : bytes[i >> 1]! & 15));
}

/** Section 4.2.1.2: two interleaved states, until one has no bits left to go on; the other's symbol is the last. */
function readPackedWeights(stream: LzStream, lengthBytes: number): number[] {
  const packed = new LzStream('zstd', stream.take(lengthBytes), 0);
  const table = readFseTable(packed, { maxLog: 6, maxSymbol: MAX_WEIGHTS });
  const bits = new BackwardBits(packed.take(packed.remainingInputBytes));
  let current = bits.read(table.log);
  let other = bits.read(table.log);
  if (bits.overrun) throw stream.damaged('the weights of a prefix code', 'none');
  const weights: number[] = [];
  while (!bits.overrun) {
    if (weights.length >= MAX_WEIGHTS - 1) throw stream.damaged(`at most ${MAX_WEIGHTS} weights`, 'more');
    weights.push(table.symbols[current]!);
    const following = nextState(table, current, bits);
    current = other;
    other = following;
  }
  weights.push(symbolOf(table, current));
  return weights;
}

function symbolOf(table: FseTable, state: number): number {
  return table.symbols[state]!;
}

/** The last symbol's weight is not stored: it is what completes the code (section 4.2.1). */
function buildHuffmanTable(stream: LzStream, weights: number[]): HuffmanTable {
  const tooLarge = weights.find((weight) => weight > MAX_CODE_BITS);
  if (tooLarge !== undefined) throw stream.damaged(`weights of at most ${MAX_CODE_BITS}`, `${tooLarge}`);
  const sum = weights.reduce((total, weight) => total + ((1 << weight) >> 1), 0);
  const maxBits = 32 - Math.clz32(sum);
  const missing = (1 << maxBits) - sum;
  if (sum === 0 || maxBits > MAX_CODE_BITS || (missing & (missing - 1)) !== 0) {
    throw stream.damaged('a complete prefix code', `weights that add up to ${sum}`);
  }
  return fillHuffmanTable(maxBits, [...weights, 32 - Math.clz32(missing)]);
}

/** Codes are given out by rising weight, that is falling length, and within a weight by symbol (section 4.2.1.3). */
function fillHuffmanTable(maxBits: number, weights: readonly number[]): HuffmanTable {
  const symbols = new Uint8Array(1 << maxBits);
  const lengths = new Uint8Array(1 << maxBits);
  let at = 0;
  for (let weight = 1; weight <= maxBits; weight += 1) {
    const span = 1 << (weight - 1);
    for (const [symbol, ofSymbol] of weights.entries()) {
      if (ofSymbol !== weight) continue;
      symbols.fill(symbol, at, at + span);
      lengths.fill(maxBits + 1 - weight, at, at + span);
      at += span;
    }
  }
  return { maxBits, symbols, lengths };
}

/**
 * Decodes `output.length` symbols of one stream (section 4.2.2), which must be used up by them.
 *
 * @param stream For the error's place only.
 */
export function decodeHuffman(stream: LzStream, table: HuffmanTable, coded: Uint8Array, output: Uint8Array): void {
  const { maxBits, symbols, lengths } = table;
  const bits = new BackwardBits(coded);
  for (let i = 0; i < output.length; i += 1) {
    const code = bits.peek(maxBits);
    output[i] = symbols[code]!;
    bits.skip(lengths[code]!);
  }
  if (!bits.exhausted) throw stream.damaged(`${output.length} literals`, 'another number of them');
}
