import { UpdateRepositoryError } from '../errors.js';
import { type ArenaLayout, layOutArena } from './arena-layout.js';
import type { EngineChoice, EngineTuning } from './engine.js';
import { notEnoughMemory } from './not-enough-memory.js';
import type { DeltaParameters } from './parameters.js';
import { takeWasmMemory, type WasmMemory } from './wasm-memory.js';

/** The memory of an arena as it is handed to other threads, by structured clone. */
export type ArenaMemory =
  | { readonly engine: 'wasm'; readonly memory: WebAssembly.Memory<true>; readonly module: WebAssembly.Module }
  | { readonly engine: 'js'; readonly buffer: SharedArrayBuffer };

/** Memory that the threads working with one base share. */
export interface Arena {
  readonly memory: ArenaMemory;
  readonly layout: ArenaLayout;
  /** Why the engine is not the one that `auto` prefers. */
  readonly fallback: UpdateRepositoryError | null;
  /** Ends its use, when no thread works in it any more: its memory may then serve the next one. */
  release(): void;
}

/**
 * Memory for deltas from one base, by `threads` threads.
 *
 * @throws UpdateRepositoryError MEMORY, or CONFIG when WebAssembly is asked for and cannot be had
 */
export function takeArena(
  baseBytes: number,
  parameters: DeltaParameters,
  tuning: EngineTuning,
  threads: number,
): Arena {
  const found = tuning.engine === 'js' ? null : wasmOrReason(tuning.engine);
  if (found === null || found instanceof UpdateRepositoryError) {
    const layout = layOutArena(0, baseBytes, parameters, tuning, threads);
    return {
      memory: { engine: 'js', buffer: allocateShared(layout.end) },
      layout,
      fallback: found,
      release: () => undefined, // the collector takes it
    };
  }
  const layout = layOutArena(found.heapBase, baseBytes, parameters, tuning, threads);
  found.grow(layout.end);
  const { memory, module } = found;
  return {
    memory: { engine: 'wasm', memory, module },
    layout,
    fallback: null,
    release: () => found.giveBack(),
  };
}

/** The bytes of an arena, whatever its engine. */
export function arenaBuffer(memory: ArenaMemory): SharedArrayBuffer {
  return memory.engine === 'wasm' ? memory.memory.buffer : memory.buffer;
}

function wasmOrReason(engine: Exclude<EngineChoice, 'js'>): WasmMemory | UpdateRepositoryError {
  try {
    return takeWasmMemory();
  } catch (error) {
    // Slower, but with the same bytes.
    if (engine === 'auto' && error instanceof UpdateRepositoryError && error.code === 'CONFIG') return error;
    throw error;
  }
}

function allocateShared(sizeBytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(sizeBytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw notEnoughMemory(sizeBytes, error);
  }
}
