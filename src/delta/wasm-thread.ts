import { UpdateRepositoryError } from '../errors.js';

/** Stores a page of the base at an address: see native/abi.h. */
export type LoadPage = (page: number, address: number) => void;

/** An instance of the core, for the thread that made it. */
export interface WasmThread {
  readonly heapBase: number;
  readonly stackPointer: WebAssembly.Global;
  readonly indexSegment: (core: number, start: number, length: number, windows: number) => void;
  readonly matchSegment: (core: number, start: number, length: number, out: number) => void;
}

/** Starts the core in a memory, where any number of threads may run it once each has a stack of its own. */
export function startWasmThread(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory<true>,
  loadPage: LoadPage,
): WasmThread {
  const load_page = (page: number, address: number) => loadPage(page, address >>> 0);
  const { exports } = new WebAssembly.Instance(module, { env: { memory, load_page } });
  return {
    heapBase: Number(globalOf(exports, '__heap_base').value),
    stackPointer: globalOf(exports, '__stack_pointer'),
    indexSegment: functionOf(exports, 'index_segment'),
    matchSegment: functionOf(exports, 'match_segment'),
  };
}

function globalOf(exports: WebAssembly.Instance['exports'], name: string): WebAssembly.Global {
  const found = exports[name];
  if (found instanceof WebAssembly.Global) return found;
  throw new UpdateRepositoryError('INTERNAL', `delta-core.wasm: expected a global ${name}, found ${typeof found}`);
}

function functionOf(exports: WebAssembly.Instance['exports'], name: string): (...numbers: number[]) => void {
  const found = exports[name];
  if (typeof found === 'function') return (...numbers) => found(...numbers);
  throw new UpdateRepositoryError('INTERNAL', `delta-core.wasm: expected a function ${name}, found ${typeof found}`);
}
