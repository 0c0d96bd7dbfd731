/**
 * The part of the WebAssembly JavaScript interface (W3C, "WebAssembly JavaScript Interface", section 5) that the
 * engine uses: Node's own types leave it to a browser's library.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory<Shared extends boolean = false> {
    constructor(limits: { initial: number; maximum: number; shared?: Shared });
    readonly buffer: Shared extends true ? SharedArrayBuffer : ArrayBuffer;
    grow(pages: number): number;
  }
  class Global {
    value: unknown;
  }
}
