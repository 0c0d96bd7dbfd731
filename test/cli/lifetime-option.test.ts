import { describe, expect, it } from 'vitest';
import { lifetimeOption, parseLifetimes } from '../../src/cli/lifetime-option.js';
import { KEY_ROLES } from '../../src/trust/tuf/role-names.js';

const HOUR_MS = 3_600_000;

describe('--expires', () => {
  it('takes roles with durations, repeatedly', () => {
    const { parseArg } = lifetimeOption();
    const first = parseArg?.('root=365d,timestamp=12h', undefined);
    expect(first).toEqual({ root: 365 * 24 * HOUR_MS, timestamp: 12 * HOUR_MS });
    expect(parseArg?.('timestamp=1d', first)).toEqual({ root: 365 * 24 * HOUR_MS, timestamp: 24 * HOUR_MS });
  });

  it.each([
    ['root', "expected a duration such as 30m, 24h, 7d or 0, found ''"],
    ['roots=1d', "found 'roots'"],
    ['root=365', "found '365'"],
    ['timestamp=59m', "expected a duration from 1h to 36500d for timestamp, found '59m'"],
    ['root=36501d', "found '36501d'"],
    ['root=1d,', "found ''"],
  ])('refuses %s', (text, message) => {
    expect(() => parseLifetimes(text, KEY_ROLES)).toThrow(message);
  });

  it('takes only roles whose metadata the command signs', () => {
    expect(() => parseLifetimes('timestamp=1d', ['root', 'targets'])).toThrow('expected roles out of root, targets');
  });
});
