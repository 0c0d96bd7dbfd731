import { afterEach, describe, expect, test, vi } from 'vitest';
import { readBuffer } from '../../src/io/page-aligned.js';

afterEach(() => vi.unstubAllGlobals());

describe('memory that files are read into', () => {
  test('starts with a page where it is large, and has as many zeros as were asked for', () => {
    for (const bytes of [0, 1, 100_000, 131_072, 1_000_001]) {
      const buffer = readBuffer(bytes);
      expect(buffer).toHaveLength(bytes);
      expect(buffer.every((byte) => byte === 0)).toBe(true);
      // Only WebAssembly's memory is whole pages, and begins with one.
      if (bytes >= 131_072) expect([buffer.byteOffset, buffer.buffer.byteLength % 65_536]).toEqual([0, 0]);
    }
  });

  test('is there without WebAssembly, and without addresses for its memory', () => {
    vi.stubGlobal('WebAssembly', null);
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    expect(readBuffer(200_000)).toHaveLength(200_000);
    vi.stubGlobal('WebAssembly', {
      Memory: class {
        constructor() {
          throw new RangeError('could not allocate memory');
        }
      },
    });
    expect(readBuffer(200_000)).toHaveLength(200_000);
  });
});
