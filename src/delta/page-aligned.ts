const WASM_PAGE_BYTES = 65536;

/** Zeros at the start of a page of memory: that of WebAssembly begins with one, which no other way promises. */
export function pageAligned(bytes: number): Uint8Array {
  return wasmMemory(bytes, false);
}

/** The same in memory that threads share, as far as there is any. */
export function sharedPages(bytes: number): Uint8Array {
  return wasmMemory(bytes, true);
}

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
