import { UpdateRepositoryError } from '../errors.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };
const DURATION = /^(?:\d+[smhdw])+$/;

/**
 * Reads a duration such as `24h`, `30m`, `7d` or `1h30m`; `0` needs no unit. Returns milliseconds. Throws USAGE for
 * anything else: a bare number is refused because nobody remembers which unit it would have.
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  if (!DURATION.test(trimmed)) throw notADuration(text);
  const parts = trimmed.matchAll(/(\d+)([smhdw])/g);
  const milliseconds = [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0), 0);
  if (!Number.isSafeInteger(milliseconds)) throw notADuration(text);
  return milliseconds;
}

/** Writes how long something took, in one or two units: `850 ms`, `12.3 s`, `2 min 3 s`, `1 h 5 min`, `2 d 3 h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59.95 * SECOND) return `${(milliseconds / SECOND).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / SECOND);
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

/** Writes a time that is left as a clock, `0:07`, `12:34` or `1:02:03`: its width hardly changes while it runs. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / SECOND);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

function twoUnits(count: number, base: number, large: string, small: string): string {
  const rest = count % base;
  return `${Math.floor(count / base)} ${large}${rest > 0 ? ` ${rest} ${small}` : ''}`;
}

function notADuration(text: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `expected a duration such as 30m, 24h, 7d or 0, found '${text}'`);
}
