import { describe, expect, it } from 'vitest';
import { formatClock, formatDuration, parseDuration } from '../../src/cli/durations.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('durations on the command line', () => {
  it.each([
    ['0', 0],
    ['0h', 0],
    ['90s', 90_000],
    ['30m', 30 * MINUTE],
    ['24h', 24 * HOUR],
    ['7d', 7 * 24 * HOUR],
    ['2w', 14 * 24 * HOUR],
    ['1h30m', 90 * MINUTE],
  ])('%s is %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '24', '-1h', '1.5h', 'h', '1 h', '1y', '1H', `${'9'.repeat(20)}w`])('%j is refused', (text) => {
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('durations for people', () => {
  it.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.6, '1.0 s'],
    [12_345, '12.3 s'],
    [59_960, '1 min'],
    [123_000, '2 min 3 s'],
    [59.6 * MINUTE, '59 min 36 s'],
    [HOUR, '1 h'],
    [65 * MINUTE, '1 h 5 min'],
    [51 * HOUR, '2 d 3 h'],
  ])('%d ms are %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it.each([
    [0, '0:00'],
    [1, '0:01'],
    [49_000, '0:49'],
    [12 * MINUTE + 34_000, '12:34'],
    [HOUR + 2 * MINUTE + 3_000, '1:02:03'],
    [30 * HOUR, '30:00:00'],
  ])('%d ms left are %s on the clock', (milliseconds, text) => {
    expect(formatClock(milliseconds)).toBe(text);
  });
});
