// The core as WebAssembly has it, under names of its own, so that one program holds both: the plain one is
// delta-core.c.
#define __wasm_simd128__ 1
#define index_segment index_segment_simd
#define match_segment match_segment_simd
#include "../../delta-core.c"
