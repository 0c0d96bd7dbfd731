import { PAGE_OVERLAP_BYTES } from './base-pages.js';
import type { ByteBlock } from './byte-block.js';
import type { Copies } from './copy-list.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import type { TargetSegment } from './match.js';
import { type DeltaParameters, INDEXED_BASE_BYTES, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import { BaseRuns } from './runs.js';
import type { SourceFile } from './source-file.js';
import type { LoadPage, WasmCore } from './wasm-core.js';
import { coreWords, layOut, type WasmLayout } from './wasm-layout.js';

/** The engine in C: it runs in a {@link WasmCore}, which is its own from construction to {@link release}. */
export class WasmEngine implements DeltaEngine {
  readonly segment: ByteBlock;
  readonly #core: WasmCore;
  readonly #base: SourceFile;
  readonly #layout: WasmLayout;
  readonly #memory: ArrayBuffer;
  readonly #filled: Omit<Copies, 'count'>;

  /** @throws UpdateRepositoryError MEMORY */
  constructor(core: WasmCore, base: SourceFile, parameters: DeltaParameters, tuning: EngineTuning) {
    const layout = layOut(core.heapBase, base.sizeBytes, parameters, tuning);
    const memory = core.begin(layout.table, layout.end, pageLoader(base, layout));
    this.#core = core;
    this.#base = base;
    this.#layout = layout;
    this.#memory = memory;
    this.#filled = filledCopies(memory, layout);
    this.segment = segmentBlock(memory, layout);
    fillCore(memory, layout, base.sizeBytes, coreWords(layout, parameters, tuning.batchBytes));
  }

  indexSegment(start: number): void {
    const left = this.#base.sizeBytes - start;
    const length = Math.min(SEGMENT_BYTES, left);
    const readable = Math.min(length + WINDOW_BYTES - 1, left);
    this.#base.read(this.segment.bytes, 0, readable, start);
    const windows = Math.min(length, readable - WINDOW_BYTES + 1, INDEXED_BASE_BYTES - start);
    this.#core.indexSegment(this.#layout.core, start, length, Math.max(0, windows));
  }

  baseRuns(): BaseRuns {
    const noted = new Float64Array(this.#memory, this.#layout.runs, 2 * 256);
    const runs = new BaseRuns();
    for (let value = 0; value < 256; value += 1) runs.note(value, noted[value]!, noted[256 + value]!);
    return runs;
  }

  match({ start, length }: TargetSegment): Copies {
    return { ...this.#filled, count: this.#core.matchSegment(this.#layout.core, start, length) };
  }

  release(): void {
    this.#core.end();
  }
}

function pageLoader(base: SourceFile, { pageShift }: WasmLayout): LoadPage {
  const pageBytes = 2 ** pageShift;
  return (memory, page, address) => {
    const start = page * pageBytes;
    const length = Math.min(pageBytes + PAGE_OVERLAP_BYTES, base.sizeBytes - start);
    base.read(new Uint8Array(memory, address, length), 0, length, start);
  };
}

function fillCore(memory: ArrayBuffer, layout: WasmLayout, baseBytes: number, words: readonly number[]): void {
  new Float64Array(memory, layout.core, 1).fill(baseBytes);
  new Uint32Array(memory, layout.core + 8, words.length).set(words);
  new Float64Array(memory, layout.runs, 2 * 256).fill(0);
  new Float64Array(memory, layout.pages, layout.pageSlots).fill(-1);
}

function segmentBlock(memory: ArrayBuffer, { segment }: WasmLayout): ByteBlock {
  const sizeBytes = SEGMENT_BYTES + WINDOW_BYTES;
  return { bytes: Buffer.from(memory, segment, sizeBytes), view: new DataView(memory, segment, sizeBytes) };
}

function filledCopies(memory: ArrayBuffer, layout: WasmLayout): Omit<Copies, 'count'> {
  return {
    starts: new Int32Array(memory, layout.filledStarts, layout.filledMax),
    lengths: new Int32Array(memory, layout.filledLengths, layout.filledMax),
    positions: new Float64Array(memory, layout.filledPositions, layout.filledMax),
  };
}
