/** What WebAssembly's memory comes in. */
export const WASM_PAGE_BYTES = 65536;

/** From here on glibc puts memory 16 bytes behind the start of a page. */
const MAPPED_BYTES = 131072;

/**
 * Zeros to read a file into, piece by piece from its start: AMD's processors copy from the start of a page of the page
 * cache to 16 bytes behind one at a quarter of their speed (Zen 3, `rep movsb`).
 */
export function readBuffer(bytes: number): Buffer {
  return bytes < MAPPED_BYTES ? Buffer.alloc(bytes) : Buffer.from(wasmMemory(bytes, false).buffer, 0, bytes);
}

/** Zeros at the start of a page of memory that threads share, as far as there is any. */
export function sharedPages(bytes: number): Uint8Array {
  return wasmMemory(bytes, true);
}

/** That of WebAssembly begins with a page, which no other way promises. */
function wasmMemory(bytes: number, shared: boolean): Uint8Array {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  try {
    return new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages, shared }).buffer, 0, bytes);
  } catch (error) {
    // A process with a limit of addresses has none of the gigabytes that V8 reserves for each memory; and Node may have
    // been told to do without WebAssembly.
    if (!(error instanceof RangeError) && !(error instanceof ReferenceError)) throw error;
    return new Uint8Array(bytes);
  }
}
