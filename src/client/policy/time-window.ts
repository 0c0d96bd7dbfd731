/** A time of the week at which something may begin, by the clock of the wall. */
export interface TimeWindow {
  /** As it was written. */
  readonly text: string;
  /** The days on which it opens: 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** Minutes after midnight. */
  readonly opens: number;
  /** Minutes after the same midnight, more than `opens`: above 1440 on the next day. */
  readonly closes: number;
}

/** How a message calls the form of a {@link TimeWindow}. */
export const WINDOW_FORM = 'a time window such as "22:00-06:00" or "mon-fri 22:00-06:00"';

const DAY_MINUTES = 24 * 60;
const WEEKDAYS: readonly string[] = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const EVERY_DAY = WEEKDAYS.map((_, day) => day);
const WINDOW = /^(?:(\S+) )?(\d\d):(\d\d)-(\d\d):(\d\d)$/;

/**
 * Reads `[days ]HH:MM-HH:MM`, where days are `sat`, `sat,sun` or `mon-fri`; null for anything else. A window that ends
 * before it begins goes over midnight, and belongs to the day on which it begins.
 */
export function readTimeWindow(text: string): TimeWindow | null {
  const [, days, openHour, openMinute, closeHour, closeMinute] = WINDOW.exec(text) ?? [];
  const weekdays = days === undefined ? EVERY_DAY : readWeekdays(days);
  const opens = minuteOfDay(openHour, openMinute);
  const end = minuteOfDay(closeHour, closeMinute);
  if (weekdays === null || opens === null || end === null || opens === DAY_MINUTES || opens === end) return null;
  return { text, weekdays, opens, closes: end > opens ? end : end + DAY_MINUTES };
}

/** Whether `window` is open at `now`, by the local time of this process; the minute at which it closes is outside. */
export function isOpen({ weekdays, opens, closes }: TimeWindow, now: Date): boolean {
  const today = now.getDay();
  const yesterday = (today + 6) % 7;
  const minute = now.getHours() * 60 + now.getMinutes();
  const isToday = weekdays.includes(today) && minute >= opens && minute < closes;
  return isToday || (weekdays.includes(yesterday) && minute + DAY_MINUTES < closes);
}

function minuteOfDay(hour: string | undefined, minute: string | undefined): number | null {
  const total = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && total <= DAY_MINUTES ? total : null;
}

function readWeekdays(text: string): readonly number[] | null {
  const days = text.split(',').map(readRange);
  return days.some((range) => range.length === 0) ? null : [...new Set(days.flat())].sort();
}

/** The days of `mon` or `fri-mon`; none where it is neither. */
function readRange(text: string): readonly number[] {
  const [first = '', last = first, ...others] = text.split('-');
  const [from, to] = [WEEKDAYS.indexOf(first), WEEKDAYS.indexOf(last)];
  if (from < 0 || to < 0 || others.length > 0) return [];
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (from + index) % 7);
}
