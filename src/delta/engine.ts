import type { ByteBlock } from './byte-block.js';
import type { Copies } from './copy-list.js';
import type { TargetSegment } from './match.js';
import type { BaseRuns } from './runs.js';

/** Which implementation does the work; `auto` takes WebAssembly where it can be had. The bytes are the same. */
export type EngineChoice = 'auto' | 'wasm' | 'js';

/** How the engine does its work. None of it changes a byte of the delta; tests say so by varying it. */
export interface EngineTuning {
  readonly engine: EngineChoice;
  /** Windows that are sampled and looked up together. */
  readonly batchBytes: number;
  /** The cache of base pages; the WebAssembly engine rounds the size of a page down to a power of two. */
  readonly pageBytes: number;
  readonly maxPages: number;
}

/** The inner loops of one delta: index the base, then match the target, both segment by segment. */
export interface DeltaEngine {
  /** Where the bytes of a target segment go before it is matched. */
  readonly segment: ByteBlock;
  /** Enters the base's segment at `start`, a multiple of SEGMENT_BYTES, into the index: all of them, in any order. */
  indexSegment(start: number): void;
  /** The longest runs of the base, as far as it is indexed. */
  baseRuns(): BaseRuns;
  /** The copies of a target segment that lies in {@link segment}, valid until the next call. */
  match(segment: TargetSegment): Copies;
  /** Ends the use of the engine: its memory may then serve another delta. */
  release(): void;
}
