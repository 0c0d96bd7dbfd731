import { blake2b256 } from './blake2b.js';
import { md4 } from './md4.js';
import {
  type BlockSearcher,
  type BlockSummer,
  MATCHES_MAX,
  type Matches,
  type SearchedPiece,
  type SignatureEngine,
} from './signature-engine.js';
import { entryBytes, type SignatureKind, WEAK_BYTES } from './signature-format.js';
import { ROLLING_SUMS, type RollingSum } from './weak-sums.js';

/** The engine in TypeScript, for where WebAssembly cannot be had. A searcher takes some 200 bytes for each block. */
export class JsSignatureEngine implements SignatureEngine {
  readonly name = 'js';

  summer(kind: SignatureKind, roomBytes: number): BlockSummer {
    const room = new Uint8Array(roomBytes);
    const { blockBytes } = kind;
    const entries = new Uint8Array(Math.ceil(roomBytes / blockBytes) * entryBytes(kind));
    const sum = (length: number): Uint8Array => {
      let used = 0;
      for (let at = 0; at < length; at += blockBytes, used += entryBytes(kind)) {
        entries.set(entryOf(kind, room.subarray(at, Math.min(length, at + blockBytes))), used);
      }
      return entries.subarray(0, used);
    };
    return { room, sum };
  }

  searcher(kind: SignatureKind, blocks: number, textBytes: number, fill: (entries: Uint8Array) => void): BlockSearcher {
    const entries = new Uint8Array(blocks * entryBytes(kind));
    fill(entries);
    return new JsSearcher(kind, entries, new Uint8Array(textBytes));
  }
}

class JsSearcher implements BlockSearcher {
  readonly text: Uint8Array;
  readonly #kind: SignatureKind;
  readonly #sums: RollingSum;
  readonly #entries: readonly string[];
  /** The weak sums that there are, and the first block with each entry. */
  readonly #weakSums: ReadonlySet<number>;
  readonly #firstBlocks: ReadonlyMap<string, number>;
  readonly #numbers = new Uint32Array(3 * MATCHES_MAX);
  #count = 0;
  /** The block that would continue the last match. */
  #nextBlock = -1;
  #patience = 0;

  constructor(kind: SignatureKind, entries: Uint8Array, text: Uint8Array) {
    this.text = text;
    this.#kind = kind;
    this.#sums = ROLLING_SUMS[kind.weak];
    this.#entries = splitEntries(kind, entries);
    this.#weakSums = new Set(this.#entries.map(weakOf));
    const firstBlocks = new Map<string, number>();
    for (const [block, entry] of this.#entries.entries()) if (!firstBlocks.has(entry)) firstBlocks.set(entry, block);
    this.#firstBlocks = firstBlocks;
  }

  search({ from, to, isLast, patienceBytes }: SearchedPiece): Matches {
    const { blockBytes } = this.#kind;
    this.#patience += patienceBytes;
    this.#count = 0;
    let at = from;
    while (to - at >= blockBytes && this.#count < MATCHES_MAX) at = this.#passBlock(at, to);
    if (isLast && to - at < blockBytes && at < to && this.#count < MATCHES_MAX) at = this.#passRest(at, to);
    return { count: this.#count, numbers: this.#numbers, end: at };
  }

  /** Goes on to the next place where a block may lie, and behind the block if it does; returns where that is. */
  #passBlock(from: number, to: number): number {
    const { blockBytes } = this.#kind;
    const { text } = this;
    let sum = this.#sums.of(text.subarray(from, from + blockBytes));
    for (let at = from; ; at += 1) {
      if (this.#isWorth(sum)) return this.#match(at, at + blockBytes, sum) ? at + blockBytes : at + 1;
      if (at + blockBytes === to) return at + 1;
      sum = this.#sums.roll(sum, blockBytes, text[at]!, text[at + blockBytes]!);
    }
  }

  #passRest(from: number, to: number): number {
    let sum = this.#sums.of(this.text.subarray(from, to));
    for (let at = from; at < to; at += 1) {
      if (this.#isWorth(sum) && this.#match(at, to, sum)) break;
      sum = this.#sums.shrink(sum, to - at, this.text[at]!);
    }
    return to;
  }

  #isWorth(weak: number): boolean {
    if (!this.#weakSums.has(weak)) return false;
    if (this.#patience > 0) return true;
    const next = this.#entries[this.#nextBlock];
    return next !== undefined && weakOf(next) === weak;
  }

  /** Puts out a match when a block has the sums of [at, end). */
  #match(at: number, end: number, weak: number): boolean {
    const entry = withWeak(weak, strongOf(this.#kind, this.text.subarray(at, end)));
    const continues = this.#entries[this.#nextBlock] === entry;
    const block = continues ? this.#nextBlock : this.#firstBlocks.get(entry);
    if (block === undefined) {
      if (this.#patience <= 0) this.#nextBlock = -1;
      this.#patience -= this.#kind.blockBytes;
      return false;
    }
    this.#put(at, end - at, block, block === this.#nextBlock);
    this.#nextBlock = block + 1;
    return true;
  }

  #put(start: number, length: number, block: number, continues: boolean): void {
    const last = 3 * this.#count - 3;
    if (continues && this.#count > 0 && this.#numbers[last]! + this.#numbers[last + 1]! === start) {
      this.#numbers[last + 1]! += length;
      return;
    }
    this.#numbers.set([start, length, block], 3 * this.#count);
    this.#count += 1;
  }
}

function strongOf({ strong, strongBytes }: SignatureKind, bytes: Uint8Array): Uint8Array {
  return (strong === 'md4' ? md4(bytes) : blake2b256(bytes)).subarray(0, strongBytes);
}

function entryOf(kind: SignatureKind, block: Uint8Array): Buffer {
  const entry = Buffer.alloc(entryBytes(kind));
  entry.writeUInt32BE(ROLLING_SUMS[kind.weak].of(block));
  entry.set(strongOf(kind, block), WEAK_BYTES);
  return entry;
}

/** Entries as strings of their bytes, because those can be compared and looked up. */
function splitEntries(kind: SignatureKind, entries: Uint8Array): string[] {
  const bytes = Buffer.from(entries.buffer, entries.byteOffset, entries.length);
  const size = entryBytes(kind);
  return Array.from({ length: entries.length / size }, (_, n) => bytes.toString('latin1', n * size, (n + 1) * size));
}

function withWeak(weak: number, strong: Uint8Array): string {
  const entry = Buffer.alloc(WEAK_BYTES + strong.length);
  entry.writeUInt32BE(weak);
  entry.set(strong, WEAK_BYTES);
  return entry.toString('latin1');
}

function weakOf(entry: string): number {
  return Buffer.from(entry.slice(0, WEAK_BYTES), 'latin1').readUInt32BE();
}
