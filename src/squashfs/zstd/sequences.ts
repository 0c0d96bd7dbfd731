import type { LzStream } from '../lz-stream.js';
import { BackwardBits } from './backward-bits.js';
import { nextState } from './fse-table.js';
import type { HuffmanTable } from './huffman.js';
import { readSequenceTables, type SequenceTables } from './sequence-tables.js';

/** What one compressed block leaves to the next of its frame. */
export interface FrameState {
  huffman: HuffmanTable | undefined;
  tables: SequenceTables | undefined;
  /** The last three distances, newest first (RFC 8878, section 3.1.1.5). */
  readonly recent: [number, number, number];
}

/** Extra bits of each code (sections 3.1.1.3.2.1.1 and .2); a code's value starts where the one before it ends. */
const LITERAL_LENGTH_BITS = [
  ...Array<number>(16).fill(0),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
];
const MATCH_LENGTH_BITS = [
  ...Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const LITERAL_LENGTH_BASE = baseValues(0, LITERAL_LENGTH_BITS);
const MATCH_LENGTH_BASE = baseValues(3, MATCH_LENGTH_BITS);
/** The format goes on to 31; distances from 2^25 on are more than any block of a squashfs image holds. */
const MAX_OFFSET_CODE = 24;
/** Up to this value an offset stands for a recent distance (section 3.1.1.5). */
const RECENT_VALUES = 3;

/**
 * Executes the sequences of a block (section 3.1.1.3.2), which take up the rest of `block`, and appends what they yield
 * and the literals that they leave over to `output`.
 *
 * @throws FORMAT where they are damaged.
 */
export function executeSequences(block: LzStream, literals: Uint8Array, state: FrameState, output: LzStream): void {
  const count = readSequenceCount(block);
  let used = 0;
  if (count > 0) {
    state.tables = readSequenceTables(block, state.tables);
    used = decodeSequences(block, count, literals, state, state.tables, output);
  } else if (block.remainingInputBytes > 0) {
    throw block.damaged('the end of a block without sequences', `${block.remainingInputBytes} more bytes`);
  }
  output.append(literals, used, literals.length - used);
}

function readSequenceCount(block: LzStream): number {
  const first = block.readByte();
  if (first < 128) return first;
  if (first < 255) return ((first - 128) << 8) | block.readByte();
  return (block.readByte() | (block.readByte() << 8)) + 0x7f00;
}

/** Yields how many of the literals were used. */
function decodeSequences(
  block: LzStream,
  count: number,
  literals: Uint8Array,
  state: FrameState,
  { literalLengths, offsets, matchLengths }: SequenceTables,
  output: LzStream,
): number {
  const bits = new BackwardBits(block.take(block.remainingInputBytes));
  let literalState = bits.read(literalLengths.log);
  let offsetState = bits.read(offsets.log);
  let matchState = bits.read(matchLengths.log);
  let used = 0;
  for (let i = 0; i < count; i += 1) {
    const offsetCode = offsets.symbols[offsetState]!;
    const matchCode = matchLengths.symbols[matchState]!;
    const literalCode = literalLengths.symbols[literalState]!;
    if (offsetCode > MAX_OFFSET_CODE) throw block.damaged('a distance below 2^25', `2^${offsetCode}`);
    const offset = (1 << offsetCode) + bits.read(offsetCode);
    const matchLength = MATCH_LENGTH_BASE[matchCode]! + bits.read(MATCH_LENGTH_BITS[matchCode]!);
    const literalLength = LITERAL_LENGTH_BASE[literalCode]! + bits.read(LITERAL_LENGTH_BITS[literalCode]!);
    if (literalLength > literals.length - used)
      throw block.damaged(`${literalLength} literals`, `${literals.length - used}`);
    output.append(literals, used, literalLength);
    output.copyMatch(resolveDistance(state.recent, offset, literalLength), matchLength);
    used += literalLength;
    if (i + 1 === count) break;
    literalState = nextState(literalLengths, literalState, bits);
    matchState = nextState(matchLengths, matchState, bits);
    offsetState = nextState(offsets, offsetState, bits);
  }
  if (!bits.exhausted) throw block.damaged(`${count} sequences`, 'data for another number of them');
  return used;
}

/** Section 3.1.1.5. A distance of 0, which only damaged data yields, is refused by the copy. */
function resolveDistance(recent: FrameState['recent'], offset: number, literalLength: number): number {
  if (offset > RECENT_VALUES) {
    recent.unshift(offset - RECENT_VALUES);
    recent.length = 3;
    return recent[0];
  }
  const index = offset - 1 + (literalLength === 0 ? 1 : 0);
  const distance = index === 3 ? recent[0] - 1 : recent[index]!;
  recent.splice(Math.min(index, 2), 1);
  recent.unshift(distance);
  return distance;
}

function baseValues(first: number, bits: readonly number[]): number[] {
  const values: number[] = [];
  let next = first;
  for (const extra of bits) {
    values.push(next);
    next += 2 ** extra;
  }
  return values;
}
