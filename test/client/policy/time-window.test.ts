import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpen, readTimeWindow, type TimeWindow } from '../../../src/client/policy/time-window.js';

/** Local time: 4 January 2026 is a Sunday. */
function at(day: number, clock: string): Date {
  const [hour = 0, minute = 0] = clock.split(':').map(Number);
  return new Date(2026, 0, 4 + day, hour, minute);
}

function windowOf(text: string): TimeWindow {
  const window = readTimeWindow(text);
  if (window === null) throw new Error(`${text} is no time window`);
  return window;
}

describe('a time window', () => {
  it.each([
    ['09:00-17:00', 1, '08:59', false],
    ['09:00-17:00', 1, '09:00', true],
    ['09:00-17:00', 1, '16:59', true],
    ['09:00-17:00', 1, '17:00', false],
    ['22:00-06:00', 0, '21:59', false],
    ['22:00-06:00', 0, '22:00', true],
    ['22:00-06:00', 0, '05:59', true],
    ['22:00-06:00', 0, '06:00', false],
    ['00:00-24:00', 3, '00:00', true],
    ['00:00-24:00', 3, '23:59', true],
    ['sat,sun 00:00-24:00', 6, '12:00', true],
    ['sat,sun 00:00-24:00', 7, '23:59', true],
    ['sat,sun 00:00-24:00', 8, '00:00', false],
    ['fri 22:00-06:00', 5, '22:00', true],
    ['fri 22:00-06:00', 6, '05:59', true],
    ['fri 22:00-06:00', 6, '06:00', false],
    ['fri 22:00-06:00', 5, '05:00', false],
    ['sat 22:00-06:00', 7, '01:00', true],
    ['fri-mon 10:00-11:00', 8, '10:30', true],
    ['fri-mon 10:00-11:00', 9, '10:30', false],
    ['mon-fri,sun 10:00-11:00', 6, '10:30', false],
    ['mon-fri,sun 10:00-11:00', 7, '10:30', true],
  ])('%s on day %i at %s: %s', (text, day, clock, expected) => {
    expect(isOpen(windowOf(text), at(day, clock))).toBe(expected);
  });

  it.each([
    '',
    '22:00',
    '22-06',
    '22:00-22:00',
    '24:00-06:00',
    '22:00-24:01',
    '22:60-23:00',
    '2:00-3:00',
    ' 22:00-06:00',
    'mon 22:00-06:00 ',
    'Mon 22:00-06:00',
    'mon, 22:00-06:00',
    'mon-tue-wed 22:00-06:00',
    'xyz 22:00-06:00',
    'mon  22:00-06:00',
  ])('is not read from "%s"', (text) => {
    expect(readTimeWindow(text)).toBeNull();
  });

  it('is open as many minutes of a week as it says, whatever the days', () => {
    const days = fc.uniqueArray(fc.constantFrom('sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'), { minLength: 1 });
    const minute = fc.nat({ max: 1439 });
    fc.assert(
      fc.property(days, minute, minute, (names, from, to) => {
        fc.pre(from !== to);
        const window = windowOf(`${names.join(',')} ${clock(from)}-${clock(to)}`);
        let open = 0;
        // January has no change of the clocks anywhere near.
        for (let m = 0; m < 7 * 1440; m += 1) if (isOpen(window, new Date(2026, 0, 4, 0, m))) open += 1;
        expect(open).toBe(names.length * ((to - from + 1440) % 1440));
      }),
      { numRuns: 20 },
    );
  });
});

function clock(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
