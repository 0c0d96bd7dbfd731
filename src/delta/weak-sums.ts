import type { WeakSum } from './signature-format.js';

/**
 * The weak sums of librsync's signatures, over windows that roll; docs/signatures.md defines them. Sums are unsigned
 * 32-bit numbers.
 */
export interface RollingSum {
  /** The sum of all bytes. */
  of(bytes: Uint8Array): number;
  /** The sum of a window that moved on by a byte: `out` left it, `into` came in; it has `length` bytes. */
  roll(sum: number, length: number, out: number, into: number): number;
  /** The sum of a window of `length` bytes without its first byte, `out`. */
  shrink(sum: number, length: number, out: number): number;
}

/** Rabin-Karp sums are polynomials in this number. */
const BASE = 0x08104225;
/** Rollsum adds this to every byte. */
const OFFSET = 31;

const rollsum: RollingSum = {
  of(bytes) {
    let low = 0;
    let high = 0;
    for (const byte of bytes) {
      low = (low + byte + OFFSET) & 0xffff;
      high = (high + low) & 0xffff;
    }
    return join(high, low);
  },
  roll(sum, length, out, into) {
    const low = (sum & 0xffff) + into - out;
    return join((sum >>> 16) + low - Math.imul(length, out + OFFSET), low);
  },
  shrink(sum, length, out) {
    return join((sum >>> 16) - Math.imul(length, out + OFFSET), (sum & 0xffff) - out - OFFSET);
  },
};

const rabinKarp: RollingSum = {
  of(bytes) {
    let sum = 1;
    for (const byte of bytes) sum = Math.imul(sum, BASE) + byte;
    return sum >>> 0;
  },
  roll(sum, length, out, into) {
    // The 1 that a sum starts with has to stay where it was.
    const power = powerOfBase(length);
    return (Math.imul(sum, BASE) + into - Math.imul(out, power) + power - Math.imul(power, BASE)) >>> 0;
  },
  shrink(sum, length, out) {
    const power = powerOfBase(length - 1);
    return (sum - powerOfBase(length) - Math.imul(out, power) + power) >>> 0;
  },
};

export const ROLLING_SUMS: Readonly<Record<WeakSum, RollingSum>> = { rollsum, rabinkarp: rabinKarp };

function join(high: number, low: number): number {
  return (((high & 0xffff) << 16) | (low & 0xffff)) >>> 0;
}

let lastExponent = 0;
let lastPower = 1;

/** BASE^exponent modulo 2^32. The last one is remembered: a search asks for one or two, again and again. */
function powerOfBase(exponent: number): number {
  if (exponent === lastExponent) return lastPower;
  let power = 1;
  let square = BASE;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = Math.imul(power, square);
    square = Math.imul(square, square);
  }
  lastExponent = exponent;
  lastPower = power;
  return power;
}
