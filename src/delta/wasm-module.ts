import fs from 'node:fs';
import { isSystemError, UpdateRepositoryError } from '../errors.js';

/** Where the modules are: beside this file where it was compiled; or, seen from the source or from a bundle, there too. */
const PLACES = ['./', '../../dist/delta/'];

const WASM_PAGES_MAX = 65536;

/**
 * Reads and compiles a core, such as `delta-core.wasm` of native/delta-core.c: about 10 ms.
 *
 * @throws UpdateRepositoryError CONFIG when it is not there, or when this machine's Node cannot compile it
 */
export function compileWasmModule(fileName: string): WebAssembly.Module {
  const places = PLACES.map((place) => new URL(place + fileName, import.meta.url));
  const bytes = places.map(readIfThere).find((found) => found !== undefined);
  if (bytes === undefined) throw unavailable(`expected the module ${fileName}, found none`);
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    throw unavailable(`expected one that compiles, found ${error instanceof Error ? error.message : error}`, error);
  }
}

/**
 * A memory of one page for a core, which can grow to 4 GiB: V8 reserves the addresses of all of them at once.
 *
 * @throws UpdateRepositoryError CONFIG when there are not so many addresses, or when this machine's Node has no such memory
 */
export function newWasmMemory<Shared extends boolean>(shared: Shared): WebAssembly.Memory<Shared> {
  try {
    return new WebAssembly.Memory<Shared>({ initial: 1, maximum: WASM_PAGES_MAX, shared });
  } catch (error) {
    const kind = shared ? 'shared memory' : 'memory';
    throw unavailable(`expected ${kind}, found none: ${error instanceof Error ? error.message : error}`, error);
  }
}

function readIfThere(place: URL): Buffer | undefined {
  try {
    return fs.readFileSync(place);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function unavailable(problem: string, cause?: unknown): UpdateRepositoryError {
  return new UpdateRepositoryError('CONFIG', `WebAssembly engine: ${problem}`, {
    hint: 'choose the engine js, or build the project again',
    cause,
  });
}
