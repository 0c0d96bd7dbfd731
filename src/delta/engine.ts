/** Which implementation does the work; `auto` takes WebAssembly where it can be had. The bytes are the same. */
export type EngineChoice = 'auto' | 'wasm' | 'js';

/** How the engine does its work. None of it changes a byte of the delta; tests say so by varying it. */
export interface EngineTuning {
  readonly engine: EngineChoice;
  /** Windows that are sampled and looked up together. */
  readonly batchBytes: number;
  /** A thread's cache of base pages; the WebAssembly engine rounds the size of a page down to a power of two. */
  readonly pageBytes: number;
  readonly maxPages: number;
  /** How many segments may wait to be written, where several threads work. */
  readonly slotsPerThread: number;
}

/** The inner loops of one thread: it indexes segments of the base, or matches segments of a target. */
export interface DeltaEngine {
  /** Where the bytes of a target segment go before it is matched. */
  readonly segment: Uint8Array;
  /** Enters the base's segment at `start`, a multiple of SEGMENT_BYTES, into the index: all of them, in any order. */
  indexSegment(start: number): void;
  /** Encodes the target segment of `length` bytes in {@link segment}, the target's from `start` on, into a slot. */
  match(start: number, length: number, slot: number): void;
}
