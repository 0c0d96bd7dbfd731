import { type ArenaLayout, coreWords, type ThreadLayout } from './arena-layout.js';
import { PAGE_OVERLAP_BYTES } from './base-pages.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { type DeltaParameters, INDEXED_BASE_BYTES, SEGMENT_BYTES, WINDOW_BYTES } from './parameters.js';
import type { SourceFile } from './source-file.js';
import { startWasmThread, type WasmThread } from './wasm-thread.js';

/** The memory of an arena and where a thread's things are in it. */
export interface WasmPlace {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory<true>;
  readonly layout: ArenaLayout;
  readonly thread: ThreadLayout;
}

/** One thread of the engine in C. */
export class WasmEngine implements DeltaEngine {
  readonly segment: Uint8Array;
  readonly #thread: WasmThread;
  readonly #base: SourceFile;
  readonly #place: WasmPlace;

  constructor(place: WasmPlace, base: SourceFile, parameters: DeltaParameters, tuning: EngineTuning) {
    const { module, memory, layout, thread } = place;
    const { buffer } = memory;
    this.#place = place;
    this.#base = base;
    this.#thread = startWasmThread(module, memory, pageLoader(base, buffer, layout));
    // Set anew for each use: a page that cannot be loaded throws through the core's functions, which then leave theirs.
    this.#thread.stackPointer.value = thread.stackTop;
    this.segment = Buffer.from(buffer, thread.segment, SEGMENT_BYTES + WINDOW_BYTES);
    const words = coreWords(layout, thread, parameters, tuning.batchBytes);
    new Float64Array(buffer, thread.core, 1).fill(base.sizeBytes);
    new Uint32Array(buffer, thread.core + 8, words.length).set(words);
    new Float64Array(buffer, thread.pages, layout.pageSlots).fill(-1);
  }

  indexSegment(start: number): void {
    const left = this.#base.sizeBytes - start;
    const length = Math.min(SEGMENT_BYTES, left);
    const readable = Math.min(length + WINDOW_BYTES - 1, left);
    this.#base.read(this.segment, 0, readable, start);
    const windows = Math.min(length, readable - WINDOW_BYTES + 1, INDEXED_BASE_BYTES - start);
    this.#thread.indexSegment(this.#place.thread.core, start, length, Math.max(0, windows));
  }

  match(start: number, length: number, slot: number): void {
    this.#thread.matchSegment(this.#place.thread.core, start, length, this.#place.layout.slots[slot]!);
  }
}

function pageLoader(base: SourceFile, memory: SharedArrayBuffer, { pageShift }: ArenaLayout) {
  const pageBytes = 2 ** pageShift;
  const bytes = new Uint8Array(memory);
  return (page: number, address: number): void => {
    const start = page * pageBytes;
    base.read(bytes, address, Math.min(pageBytes + PAGE_OVERLAP_BYTES, base.sizeBytes - start), start);
  };
}
