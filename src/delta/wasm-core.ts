import { UpdateRepositoryError } from '../errors.js';
import { GEAR } from './sample.js';
import { compileWasmModule } from './wasm-module.js';

const WASM_PAGE_BYTES = 65536;
const WASM_PAGES_MAX = 65536;

/** Stores a page of the base in the memory at an address: see native/abi.h. */
export type LoadPage = (memory: ArrayBuffer, page: number, address: number) => void;

/**
 * An instance of the delta core with its memory, of which it is the only owner. Memory grows to what a delta needs and
 * never shrinks (V8 gives none back), so an instance serves one delta after the other.
 */
export class WasmCore {
  /** Where free memory starts: below it is the stack. */
  readonly heapBase: number;
  readonly indexSegment: (core: number, start: number, length: number, windows: number) => void;
  readonly matchSegment: (core: number, start: number, length: number) => number;
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: WASM_PAGES_MAX });
  readonly #stackPointer: WebAssembly.Global;
  readonly #stackTop: unknown;
  #loadPage: LoadPage | undefined;
  /** Memory from here on was never written to. */
  #cleanFrom = 0;

  constructor(module: WebAssembly.Module) {
    const load_page = (page: number, address: number) => this.#loadPage?.(this.#memory.buffer, page, address >>> 0);
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory, load_page } });
    this.heapBase = Number(globalOf(exports, '__heap_base').value);
    new Int32Array(this.#memory.buffer, Number(globalOf(exports, 'gear').value), GEAR.length).set(GEAR);
    this.#stackPointer = globalOf(exports, '__stack_pointer');
    this.#stackTop = this.#stackPointer.value;
    this.indexSegment = functionOf(exports, 'index_segment');
    this.matchSegment = functionOf(exports, 'match_segment');
  }

  /**
   * Makes the core ready for a delta that uses memory up to `end`, zero from `zeroFrom` on, and returns the memory: it
   * stays the same until the next call.
   *
   * @throws UpdateRepositoryError MEMORY
   */
  begin(zeroFrom: number, end: number, loadPage: LoadPage): ArrayBuffer {
    this.#grow(end);
    const { buffer } = this.#memory;
    if (this.#cleanFrom > zeroFrom) new Uint8Array(buffer, zeroFrom, Math.min(this.#cleanFrom, end) - zeroFrom).fill(0);
    this.#cleanFrom = Math.max(this.#cleanFrom, end);
    this.#loadPage = loadPage;
    // A page that could not be loaded has thrown through the core's functions, which then did not clear their stack.
    this.#stackPointer.value = this.#stackTop;
    return buffer;
  }

  /** Forgets what the last delta was about, and lets the next one have the core. */
  end(): void {
    this.#loadPage = undefined;
    idle = this;
  }

  #grow(end: number): void {
    const missing = Math.ceil((end - this.#memory.buffer.byteLength) / WASM_PAGE_BYTES);
    if (missing <= 0) return;
    try {
      this.#memory.grow(missing);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UpdateRepositoryError('MEMORY', `delta engine: expected ${end} bytes of memory, found less`, {
        data: { neededBytes: end },
        hint: 'run fewer jobs at once, or make the delta with less effort',
        cause: error,
      });
    }
  }
}

/** This thread's core while no delta uses it. */
let idle: WasmCore | undefined;

/**
 * A core that nothing else uses until its `end`: this thread's, or else a new one.
 *
 * @throws UpdateRepositoryError CONFIG when WebAssembly cannot be had
 */
export function borrowWasmCore(): WasmCore {
  const core = idle ?? new WasmCore(compileWasmModule());
  idle = undefined;
  return core;
}

function globalOf(exports: WebAssembly.Instance['exports'], name: string): WebAssembly.Global {
  const found = exports[name];
  if (found instanceof WebAssembly.Global) return found;
  throw new UpdateRepositoryError('INTERNAL', `delta-core.wasm: expected a global ${name}, found ${typeof found}`);
}

function functionOf(exports: WebAssembly.Instance['exports'], name: string): (...numbers: number[]) => number {
  const found = exports[name];
  if (typeof found === 'function') return (...numbers) => found(...numbers);
  throw new UpdateRepositoryError('INTERNAL', `delta-core.wasm: expected a function ${name}, found ${typeof found}`);
}
