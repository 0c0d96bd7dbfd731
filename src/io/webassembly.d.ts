/** What the digests use of the WebAssembly JavaScript interface beside that in src/delta/webassembly.d.ts. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean;
}
