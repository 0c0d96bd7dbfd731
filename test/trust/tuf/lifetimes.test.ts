import { describe, expect, it } from 'vitest';
import { DEFAULT_LIFETIMES, expiresAt, isDue, lifetimeOf, lifetimesOf } from '../../../src/trust/tuf/lifetimes.js';
import { daysLater, NOW } from './support/sample-mirror.js';

const DAY_MS = 86_400_000;

describe('chosen lifetimes', () => {
  it('leave the others as they are by default', () => {
    expect(lifetimesOf({})).toEqual(DEFAULT_LIFETIMES);
    expect(lifetimesOf({ root: 730 * DAY_MS })).toEqual({
      ...DEFAULT_LIFETIMES,
      root: { days: 730, renewDays: 120 },
    });
  });

  it('make metadata due when the same share of its lifetime is left', () => {
    const { timestamp } = lifetimesOf({ timestamp: 14 * DAY_MS });
    const expires = expiresAt(NOW, timestamp);
    expect(isDue(expires, daysLater(5), timestamp)).toBe(false);
    expect(isDue(expires, daysLater(7), timestamp)).toBe(true);
  });

  it('of series hold for each of them, and for the parts of a large one', () => {
    const lifetimes = lifetimesOf({ series: 60 * DAY_MS, mirror: 2 * DAY_MS });
    for (const role of ['puavo-os-acme-amd64', 'puavo-os-acme-amd64.bin-3']) {
      expect(lifetimeOf(role, lifetimes)).toEqual({ days: 60, renewDays: 30 });
    }
    expect(lifetimeOf('mirror', lifetimes)).toEqual({ days: 2, renewDays: 1 });
  });
});
