import type { SignatureKind } from './signature-format.js';

/** Which implementation does the work; `auto` takes WebAssembly where it can be had. The bytes are the same. */
export type SignatureEngineChoice = 'auto' | 'wasm' | 'js';

/** The inner loops of signatures and of deltas that are made from one. */
export interface SignatureEngine {
  readonly name: 'wasm' | 'js';
  /**
   * What makes entries out of up to `roomBytes` bytes at once.
   *
   * @throws UpdateRepositoryError MEMORY
   */
  summer(kind: SignatureKind, roomBytes: number): BlockSummer;
  /**
   * What finds the blocks of a signature in a text that comes in pieces of up to `textBytes`; `fill` stores the entries
   * of all `blocks` blocks in the memory that it gets.
   *
   * @throws UpdateRepositoryError MEMORY, and what `fill` throws
   */
  searcher(kind: SignatureKind, blocks: number, textBytes: number, fill: (entries: Uint8Array) => void): BlockSearcher;
}

/** Makes the entries of a signature. */
export interface BlockSummer {
  /** Where blocks go before they are summed. */
  readonly room: Uint8Array;
  /**
   * The entries of the blocks in the first `length` bytes of the room, of which only the last may be short. A view that
   * is valid until the next call.
   */
  sum(length: number): Uint8Array;
}

/**
 * Finds the blocks of a signature in a text, from left to right: at each place the block that continues the last match,
 * or else the first one with the same sums. The search goes on behind what it found.
 */
export interface BlockSearcher {
  /** Where a piece of the text goes before it is searched. */
  readonly text: Uint8Array;
  search(piece: SearchedPiece): Matches;
}

/** The part of a searcher's text that is searched. */
export interface SearchedPiece {
  readonly from: number;
  /** Where the piece ends; unless it is the last one, the search stops when less than a block is left. */
  readonly to: number;
  /** Whether the text ends with it: then its end may also equal the signature's last block, which may be short. */
  readonly isLast: boolean;
  /**
   * Added to the bytes that may be summed in vain. When they are used up, which takes a signature that was made for it,
   * only what continues the last match is found.
   */
  readonly patienceBytes: number;
}

/** Parts of the text that equal consecutive blocks, in the order of the text. Valid until the next search. */
export interface Matches {
  readonly count: number;
  /** For each match three numbers: where it starts, its length, and the number of its first block. */
  readonly numbers: Uint32Array;
  /** Where the search goes on: what lies before and in no match equals no block. */
  readonly end: number;
}

/** A search gives its matches back when there are so many of them. */
export const MATCHES_MAX = 4096;
