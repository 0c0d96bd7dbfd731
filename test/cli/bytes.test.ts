import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatPercent, parseSize } from '../../src/cli/bytes.js';

describe('sizes on the command line', () => {
  it.each([
    ['1', 1],
    ['1048576', 1048576],
    ['512M', 512 * 1024 ** 2],
    ['512m', 512 * 1024 ** 2],
    ['2G', 2 * 1024 ** 3],
    ['1.5G', 1.5 * 1024 ** 3],
    ['2GiB', 2 * 1024 ** 3],
    ['2 GiB', 2 * 1024 ** 3],
    ['2GB', 2 * 1000 ** 3],
    ['3kB', 3000],
    ['1T', 1024 ** 4],
    ['7B', 7],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'M', '0', '0M', '-1M', '1X', '12iB', '1e9', '1,5G', '9999P', 'Infinity', '1 2M', '0.0001'])(
    '%j is refused',
    (text) => {
      expect(() => parseSize(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    },
  );
});

describe('sizes for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KiB'],
    [1023, '1.0 KiB'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [99.94 * 1024, '99.9 KiB'],
    [99.96 * 1024, '100 KiB'],
    [611203847, '583 MiB'],
    [4293918720, '4.0 GiB'],
    [2 ** 53, '8.0 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('are never wider than eight columns and read back within a twentieth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 52 }), (bytes) => {
        const text = formatBytes(bytes);
        expect(text.length).toBeLessThanOrEqual(8);
        expect(Math.abs(parseSize(text) - bytes)).toBeLessThanOrEqual(bytes / 20);
      }),
    );
  });
});

describe('shares for people', () => {
  it('are whole per cent, or a dash where there is no whole', () => {
    expect(formatPercent(33, 38)).toBe('87 %');
    expect(formatPercent(0, 38)).toBe('0 %');
    expect(formatPercent(999, 1000)).toBe('99 %');
    expect(formatPercent(1000, 1000)).toBe('100 %');
    expect(formatPercent(0, 0)).toBe('-');
  });
});
