import { describe, expect, it } from 'vitest';
import { mayRunNow } from '../../../src/client/policy/may-run.js';
import { DEFAULT_POLICY } from '../../../src/client/policy/policy.js';
import { readTimeWindow } from '../../../src/client/policy/time-window.js';

const noon = new Date(2026, 0, 5, 12, 0);

function windows(...texts: readonly string[]) {
  return texts.map((text) => readTimeWindow(text)).filter((window) => window !== null);
}

describe('an update', () => {
  it('may run at any time over any connection, unless the policy says otherwise', () => {
    for (const isMetered of [true, false, null]) {
      expect(mayRunNow(DEFAULT_POLICY, noon, isMetered)).toEqual({ kind: 'now', wholeImage: 'full' });
    }
  });

  it('waits until one of its time windows is open', () => {
    const policy = { ...DEFAULT_POLICY, windows: windows('22:00-06:00', 'sat 00:00-24:00') };
    expect(mayRunNow(policy, noon, false)).toEqual({
      kind: 'later',
      reason: 'outside of the time windows: 22:00-06:00, sat 00:00-24:00',
    });
    expect(mayRunNow(policy, new Date(2026, 0, 5, 23, 0), false).kind).toBe('now');
    expect(mayRunNow(policy, new Date(2026, 0, 10, 12, 0), false).kind).toBe('now');
  });

  it.each([
    ['full', true, 'ask'],
    ['deltas-only', true, 'never'],
    ['deltas-only', false, 'ask'],
    ['deltas-only', null, 'ask'],
    ['never', false, 'ask'],
    ['never', null, 'ask'],
    ['never', true, null],
  ] as const)('with metered: %s over a connection that is metered: %s', (metered, isMetered, wholeImage) => {
    const permission = mayRunNow({ ...DEFAULT_POLICY, metered, fallback: 'ask' }, noon, isMetered);
    if (wholeImage === null) expect(permission).toEqual({ kind: 'later', reason: 'the connection is metered' });
    else expect(permission).toEqual({ kind: 'now', wholeImage });
  });
});
