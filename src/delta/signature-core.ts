import { UpdateRepositoryError } from '../errors.js';
import { WASM_PAGE_BYTES } from '../io/page-aligned.js';
import { compileWasmModule, newWasmMemory } from './wasm-module.js';

const LINE_BYTES = 64;

/** An instance of the signature core, native/signature-core.c, with a memory of its own, which lives as long as it. */
export class SignatureCore {
  readonly sumBlocks: (kind: number, bytes: number, length: number, entries: number) => void;
  readonly indexBlocks: (index: number) => void;
  readonly searchBlocks: (search: number) => number;
  readonly #memory = newWasmMemory(false);
  #end: number;

  /** @throws UpdateRepositoryError CONFIG when WebAssembly cannot be had */
  constructor() {
    const module = compileWasmModule('signature-core.wasm');
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.sumBlocks = functionOf(exports, 'sum_blocks');
    this.indexBlocks = functionOf(exports, 'index_blocks');
    this.searchBlocks = functionOf(exports, 'search_blocks');
    const heapBase = exports.__heap_base;
    if (!(heapBase instanceof WebAssembly.Global)) throw unexpected('a global __heap_base', typeof heapBase);
    this.#end = Number(heapBase.value);
  }

  /** Its memory. Views of it are of no use any more after the next {@link allocate}. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /**
   * The address of `sizeBytes` fresh bytes of 0.
   *
   * @throws UpdateRepositoryError MEMORY
   */
  allocate(sizeBytes: number): number {
    const address = Math.ceil(this.#end / LINE_BYTES) * LINE_BYTES;
    this.#end = address + sizeBytes;
    const missing = Math.ceil((this.#end - this.#memory.buffer.byteLength) / WASM_PAGE_BYTES);
    if (missing > 0) this.#grow(missing);
    return address;
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages);
    } catch (error) {
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
      throw new UpdateRepositoryError('MEMORY', `signature engine: expected ${this.#end} bytes of memory, found less`, {
        data: { neededBytes: this.#end },
        hint: 'make the signature with larger blocks, or its blocks smaller than a gigabyte',
        cause: error,
      });
    }
  }
}

function functionOf(exports: WebAssembly.Instance['exports'], name: string): (...numbers: number[]) => number {
  const found = exports[name];
  if (typeof found === 'function') return (...numbers) => found(...numbers);
  throw unexpected(`a function ${name}`, typeof found);
}

function unexpected(expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERNAL', `signature-core.wasm: expected ${expected}, found ${found}`);
}
