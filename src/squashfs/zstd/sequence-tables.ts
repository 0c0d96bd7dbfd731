import type { LzStream } from '../lz-stream.js';
import { buildFseTable, constantFseTable, type FseLimits, type FseTable, readFseTable } from './fse-table.js';

/** The three tables of a sequences section. */
export interface SequenceTables {
  readonly literalLengths: FseTable;
  readonly offsets: FseTable;
  readonly matchLengths: FseTable;
}

/** One kind of code: the limits of its table, and the table where the block brings none (RFC 8878, section 3.1.1.3.2.2). */
interface CodeKind {
  readonly limits: FseLimits;
  readonly predefined: FseTable;
}

const LITERAL_LENGTHS: CodeKind = {
  limits: { maxLog: 9, maxSymbol: 35 },
  predefined: buildFseTable(6, [4, 3, ...times(2, 11), 1, 1, 1, ...times(2, 9), 3, 2, ...times(1, 5), ...times(-1, 4)]),
};

const MATCH_LENGTHS: CodeKind = {
  limits: { maxLog: 9, maxSymbol: 52 },
  predefined: buildFseTable(6, [1, 4, 3, ...times(2, 6), ...times(1, 37), ...times(-1, 7)]),
};

/** The format allows larger codes than 24, for distances that no squashfs block can have. */
const OFFSETS: CodeKind = {
  limits: { maxLog: 8, maxSymbol: 31 },
  predefined: buildFseTable(5, [...times(1, 6), 2, 2, 2, ...times(1, 15), ...times(-1, 5)]),
};

/** Symbol_Compression_Modes, section 3.1.1.3.2.1. */
const PREDEFINED = 0;
const CONSTANT = 1;
const DESCRIBED = 2;

/**
 * Reads the modes byte and the tables of a sequences section and moves behind them.
 *
 * @param previous The tables of the frame's last block that had sequences.
 * @throws FORMAT where they are damaged.
 */
export function readSequenceTables(stream: LzStream, previous: SequenceTables | undefined): SequenceTables {
  const modes = stream.readByte();
  if ((modes & 3) !== 0) throw stream.damaged('reserved bits of 0', `${modes & 3}`);
  return {
    literalLengths: readTable(stream, modes >> 6, LITERAL_LENGTHS, previous?.literalLengths),
    offsets: readTable(stream, (modes >> 4) & 3, OFFSETS, previous?.offsets),
    matchLengths: readTable(stream, (modes >> 2) & 3, MATCH_LENGTHS, previous?.matchLengths),
  };
}

function readTable(stream: LzStream, mode: number, kind: CodeKind, previous: FseTable | undefined): FseTable {
  if (mode === PREDEFINED) return kind.predefined;
  if (mode === DESCRIBED) return readFseTable(stream, kind.limits);
  if (mode === CONSTANT) {
    const symbol = stream.readByte();
    if (symbol <= kind.limits.maxSymbol) return constantFseTable(symbol);
    throw stream.damaged(`a code of at most ${kind.limits.maxSymbol}`, `${symbol}`);
  }
  if (previous === undefined)
    throw stream.damaged('a table of codes', 'a reference to an earlier one, but none came before');
  return previous;
}

function times(count: number, repeats: number): number[] {
  return Array.from({ length: repeats }, () => count);
}
