import { SignatureCore } from './signature-core.js';
import {
  type BlockSearcher,
  type BlockSummer,
  MATCHES_MAX,
  type Matches,
  type SearchedPiece,
  type SignatureEngine,
} from './signature-engine.js';
import { entryBytes, type SignatureKind } from './signature-format.js';

/** Sizes of the structures in native/signature-abi.h. */
const KIND_WORDS = 4;
const INDEX_WORDS = KIND_WORDS + 12;
const SEARCH_BYTES = 40;
const RUN_WORDS = 3;
/** Places in a `struct search`, in words: where its index is, and what changes from piece to piece. */
const SEARCH_INDEX = 2;
const SEARCH_LENGTH = 4;
const SEARCH_AT = 5;
const NO_BLOCK = 0xffffffff;

/** The filters have 16 bits for a block, and 4 for a block but no more than 2 MiB: see native/block-index.h. */
const FINE_MORE_BITS = 4;
const COARSE_MORE_BITS = 2;
const COARSE_MAX_BITS = 24;

/** The engine in C. Each summer and searcher has a core and a memory of its own. */
export class WasmSignatureEngine implements SignatureEngine {
  readonly name = 'wasm';
  #core: SignatureCore | undefined;

  /** @throws UpdateRepositoryError CONFIG when WebAssembly cannot be had */
  constructor() {
    this.#core = new SignatureCore();
  }

  summer(kind: SignatureKind, roomBytes: number): BlockSummer {
    return new WasmSummer(this.#takeCore(), kind, roomBytes);
  }

  searcher(kind: SignatureKind, blocks: number, textBytes: number, fill: (entries: Uint8Array) => void): BlockSearcher {
    return new WasmSearcher(this.#takeCore(), kind, blocks, textBytes, fill);
  }

  #takeCore(): SignatureCore {
    const core = this.#core ?? new SignatureCore();
    this.#core = undefined;
    return core;
  }
}

class WasmSummer implements BlockSummer {
  readonly room: Uint8Array;
  readonly #core: SignatureCore;
  readonly #kind: SignatureKind;
  readonly #kindAt: number;
  readonly #roomAt: number;
  readonly #entriesAt: number;

  constructor(core: SignatureCore, kind: SignatureKind, roomBytes: number) {
    this.#core = core;
    this.#kind = kind;
    this.#kindAt = core.allocate(4 * KIND_WORDS);
    this.#roomAt = core.allocate(roomBytes);
    this.#entriesAt = core.allocate(Math.ceil(roomBytes / kind.blockBytes) * entryBytes(kind));
    this.room = new Uint8Array(core.buffer, this.#roomAt, roomBytes);
    new Uint32Array(core.buffer, this.#kindAt).set(kindWords(kind));
  }

  sum(length: number): Uint8Array {
    this.#core.sumBlocks(this.#kindAt, this.#roomAt, length, this.#entriesAt);
    const blocks = Math.ceil(length / this.#kind.blockBytes);
    return new Uint8Array(this.#core.buffer, this.#entriesAt, blocks * entryBytes(this.#kind));
  }
}

class WasmSearcher implements BlockSearcher {
  readonly text: Uint8Array;
  readonly #core: SignatureCore;
  readonly #searchAt: number;
  readonly #patience: Float64Array;
  readonly #words: Uint32Array;
  readonly #runs: Uint32Array;

  constructor(
    core: SignatureCore,
    kind: SignatureKind,
    blocks: number,
    textBytes: number,
    fill: (entries: Uint8Array) => void,
  ) {
    this.#core = core;
    const indexAt = indexBlocks(core, kind, blocks, fill);
    this.#searchAt = core.allocate(SEARCH_BYTES);
    const runsAt = core.allocate(4 * RUN_WORDS * MATCHES_MAX);
    const textAt = core.allocate(textBytes);
    this.text = new Uint8Array(core.buffer, textAt, textBytes);
    this.#runs = new Uint32Array(core.buffer, runsAt, RUN_WORDS * MATCHES_MAX);
    this.#patience = new Float64Array(core.buffer, this.#searchAt, 1);
    this.#words = new Uint32Array(core.buffer, this.#searchAt, SEARCH_BYTES / 4);
    this.#words.set([indexAt, textAt, 0, 0, 0, NO_BLOCK, runsAt, MATCHES_MAX], SEARCH_INDEX);
  }

  search({ from, to, isLast, patienceBytes }: SearchedPiece): Matches {
    this.#patience[0]! += patienceBytes;
    this.#words.set([to, from, isLast ? 1 : 0], SEARCH_LENGTH);
    const count = this.#core.searchBlocks(this.#searchAt);
    return { count, numbers: this.#runs, end: this.#words[SEARCH_AT]! };
  }
}

/** Sorts the entries of a signature in the core's memory; returns the address of their `struct block_index`. */
function indexBlocks(
  core: SignatureCore,
  kind: SignatureKind,
  blocks: number,
  fill: (entries: Uint8Array) => void,
): number {
  const startBits = Math.min(28, Math.max(1, Math.ceil(Math.log2(blocks))));
  const fineBits = startBits + FINE_MORE_BITS;
  const coarseBits = Math.min(startBits + COARSE_MORE_BITS, COARSE_MAX_BITS);
  const startsBytes = 4 * (2 ** startBits + 1);
  const indexAt = core.allocate(4 * INDEX_WORDS);
  const entriesAt = core.allocate(blocks * entryBytes(kind));
  const keysAt = core.allocate(4 * blocks);
  const numbersAt = core.allocate(4 * blocks);
  // What sorting needs is not needed any more when starts and filter are made.
  const scratchAt = core.allocate(Math.max(8 * blocks, startsBytes + 2 ** (fineBits - 3)));
  const fineAt = scratchAt + startsBytes;
  const coarseAt = core.allocate(2 ** (coarseBits - 3));
  const areas = [entriesAt, keysAt, numbersAt, scratchAt, scratchAt, fineAt, coarseAt];
  const words = [...kindWords(kind), blocks, ...areas, startBits, fineBits, coarseBits, 0];
  new Uint32Array(core.buffer, indexAt).set(words);
  fill(new Uint8Array(core.buffer, entriesAt, blocks * entryBytes(kind)));
  core.indexBlocks(indexAt);
  return indexAt;
}

function kindWords({ weak, strong, blockBytes, strongBytes }: SignatureKind): number[] {
  return [weak === 'rabinkarp' ? 1 : 0, strong === 'blake2' ? 1 : 0, blockBytes, strongBytes];
}
