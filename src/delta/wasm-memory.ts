import { WASM_PAGE_BYTES } from '../io/page-aligned.js';
import { notEnoughMemory } from './not-enough-memory.js';
import { compileWasmModule, newWasmMemory } from './wasm-module.js';
import { startWasmThread } from './wasm-thread.js';

/**
 * A memory for the C core and all threads that run it. It grows to what an arena needs and never shrinks (V8 gives none
 * back), so it serves one arena after the other.
 */
export class WasmMemory {
  readonly memory: WebAssembly.Memory<true>;
  readonly module: WebAssembly.Module;
  /** Where free memory starts. */
  readonly heapBase: number;

  constructor(module: WebAssembly.Module) {
    this.module = module;
    this.memory = newWasmMemory(true);
    this.heapBase = startWasmThread(module, this.memory, () => undefined).heapBase;
  }

  /**
   * Makes room up to `end`. It may hold what an earlier use left.
   *
   * @throws UpdateRepositoryError MEMORY
   */
  grow(end: number): void {
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / WASM_PAGE_BYTES);
    if (missing > 0) growMemory(this.memory, missing, end);
  }

  /** Lets the next arena have it. */
  giveBack(): void {
    idle.push(this);
  }
}

/** Memories that no arena uses. */
const idle: WasmMemory[] = [];
let compiled: WebAssembly.Module | undefined;

/**
 * A memory that nothing else uses until it is given back.
 *
 * @throws UpdateRepositoryError CONFIG when WebAssembly, with SIMD and shared memory, cannot be had
 */
export function takeWasmMemory(): WasmMemory {
  // The largest one, so that no small one has to grow while it lies idle.
  const found = idle.sort((a, b) => a.memory.buffer.byteLength - b.memory.buffer.byteLength).pop();
  if (found !== undefined) return found;
  compiled ??= compileWasmModule('delta-core.wasm');
  return new WasmMemory(compiled);
}

function growMemory(memory: WebAssembly.Memory<true>, pages: number, end: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw notEnoughMemory(end, error);
  }
}
