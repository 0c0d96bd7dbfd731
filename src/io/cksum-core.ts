import { readFileSync } from 'node:fs';
import { isSystemError, UpdateRepositoryError } from '../errors.js';
import { WASM_PAGE_BYTES } from './page-aligned.js';

/*
 * CRC-32 divides by P = x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1.
 * The smallest multiple of P with four terms is x^3006 + x^2866 + x^2215 + 1; its 32nd power has these exponents times
 * 32, so it speaks of whole words, and a word may be moved: added (XOR) to those that come 3006 - 2866, 3006 - 2215 and
 * 3006 words after it, and taken out of its own place, it leaves the remainder as it was. Moved so one after the other,
 * all words but the last 3006 vanish: three XORs a word, or sixteen bytes, and only the last ones have to be divided.
 * Source of the idea: S. Russell, "Chorba: A novel CRC32 implementation", arXiv 2412.16398.
 */
export const NEAR_BYTES = 4 * (3006 - 2866);
export const MIDDLE_BYTES = 4 * (3006 - 2215);
export const HISTORY_BYTES = 4 * 3006;

/** How much is moved at once: with all that reads it, it fits into a processor's second cache. */
const ROOM_BYTES = 262144;

/** The memory in which bytes are moved, and what moves them. It keeps nothing from one call to the next. */
export interface CksumCore {
  /** HISTORY_BYTES that came before, and room for the next ones. */
  readonly bytes: Uint8Array;
  /** Adds to each of the first `length` bytes of the room what the bytes before them move there. */
  move(length: number): void;
}

/** Four bytes at a time. */
export function javaScriptCksumCore(): CksumCore {
  const buffer = new ArrayBuffer(HISTORY_BYTES + ROOM_BYTES);
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  return {
    bytes,
    move(length) {
      moveWords(words, length >>> 2);
      moveBytes(bytes, HISTORY_BYTES + (length & ~3), HISTORY_BYTES + length);
    },
  };
}

function moveWords(words: Int32Array, count: number): void {
  // Constants of this call: with those of the module the loop takes three times as long.
  const [near, middle, far] = [NEAR_BYTES >>> 2, MIDDLE_BYTES >>> 2, HISTORY_BYTES >>> 2];
  for (let to = far; to < far + count; to++) {
    words[to] = words[to]! ^ words[to - near]! ^ words[to - middle]! ^ words[to - far]!;
  }
}

function moveBytes(bytes: Uint8Array, from: number, end: number): void {
  for (let to = from; to < end; to++) {
    bytes[to]! ^= bytes[to - NEAR_BYTES]! ^ bytes[to - MIDDLE_BYTES]! ^ bytes[to - HISTORY_BYTES]!;
  }
}

/** Where the module is: beside this file where it was compiled, or, seen from the source, where it will be. */
const PLACES = ['./cksum-core.wasm', '../../dist/io/cksum-core.wasm'].map((place) => new URL(place, import.meta.url));

/** What is below is the module's own. */
const FIRST_BYTE = WASM_PAGE_BYTES;

/** Sixteen bytes at a time, by native/cksum-core.c; `undefined` where it is not there or cannot be run. */
export function webAssemblyCksumCore(places: readonly URL[] = PLACES): CksumCore | undefined {
  const code = places.map(readIfThere).find((found) => found !== undefined);
  // Node may have been told to do without WebAssembly, and a processor may have no SIMD.
  if (code === undefined || typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) return undefined;
  const memory = newMemory(Math.ceil((FIRST_BYTE + HISTORY_BYTES + ROOM_BYTES) / WASM_PAGE_BYTES));
  return memory && instantiate(code, memory);
}

function readIfThere(place: URL): Uint8Array | undefined {
  try {
    return readFileSync(place);
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

/** V8 takes gigabytes of addresses for a memory, and there may not be as many left. */
function newMemory(pages: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function instantiate(code: Uint8Array, memory: WebAssembly.Memory): CksumCore {
  const { move_bytes } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports;
  if (typeof move_bytes !== 'function') {
    throw new UpdateRepositoryError(
      'INTERNAL',
      `cksum-core.wasm: expected a function move_bytes, found ${typeof move_bytes}`,
    );
  }
  const bytes = new Uint8Array(memory.buffer, FIRST_BYTE, HISTORY_BYTES + ROOM_BYTES);
  return { bytes, move: (length) => move_bytes(FIRST_BYTE + HISTORY_BYTES, length) };
}

/** The core of this thread: a WebAssembly memory is given back late or never, so there is one. */
let shared: CksumCore | undefined;

/** This thread's core, the fastest that can be had. */
export function sharedCksumCore(): CksumCore {
  shared ??= webAssemblyCksumCore() ?? javaScriptCksumCore();
  return shared;
}
