import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../../src/cli/render/rate-meter.js';

describe('the rate of work', () => {
  it('is unknown before anything is done', () => {
    const meter = new RateMeter(5000, 0);
    expect(meter.perSecond(1000)).toBeUndefined();
    meter.add(1000, 0);
    expect(meter.perSecond(1000)).toBeUndefined();
  });

  it('is what was done a second', () => {
    const meter = new RateMeter(5000, 0);
    meter.add(1000, 100);
    meter.add(2000, 200);
    expect(meter.perSecond(2000)).toBe(100);
  });

  it('forgets what is longer ago than its window', () => {
    const meter = new RateMeter(5000, 0);
    for (let second = 1; second <= 10; second += 1) meter.add(second * 1000, 1000);
    for (let second = 11; second <= 20; second += 1) meter.add(second * 1000, 1000 + (second - 10) * 7);
    expect(meter.perSecond(20_000)).toBeCloseTo(7);
  });

  it('falls while nothing happens', () => {
    const meter = new RateMeter(5000, 0);
    meter.add(1000, 100);
    expect(meter.perSecond(1000)).toBe(100);
    expect(meter.perSecond(10_000)).toBe(10);
  });

  it('has a rate where steps are further apart than its window', () => {
    const meter = new RateMeter(5000, 0);
    meter.add(20_000, 100);
    meter.add(40_000, 300);
    expect(meter.perSecond(40_000)).toBe(10);
  });

  it('counts many small steps in full', () => {
    const meter = new RateMeter(5000, 0);
    for (let step = 1; step <= 3000; step += 1) meter.add(step, step);
    expect(meter.perSecond(3000)).toBeCloseTo(1000);
  });
});
