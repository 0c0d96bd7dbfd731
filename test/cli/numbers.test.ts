import { describe, expect, it } from 'vitest';
import { parseCount, parseRatio } from '../../src/cli/numbers.js';

const usage = expect.objectContaining({ code: 'USAGE' });

describe('counts and ratios on the command line', () => {
  it('a count is a whole number from 1 on', () => {
    expect(parseCount('1')).toBe(1);
    expect(parseCount('16')).toBe(16);
    for (const text of ['0', '-1', '1.5', '1e3', ' 1', '', 'four', '9'.repeat(20)]) {
      expect(() => parseCount(text), text).toThrow(usage);
    }
  });

  it('a ratio is a decimal number above 0', () => {
    expect(parseRatio('0.8')).toBe(0.8);
    expect(parseRatio('.5')).toBe(0.5);
    expect(parseRatio('1')).toBe(1);
    for (const text of ['0', '0.0', '-0.5', '80%', '0,8', '', 'NaN', 'Infinity']) {
      expect(() => parseRatio(text), text).toThrow(usage);
    }
  });
});
