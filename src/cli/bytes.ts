import { UpdateRepositoryError } from '../errors.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const SIZE = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(iB|B|)$/i;

/**
 * Reads a size as rsync writes it: `512M` and `512MiB` are 512 * 1024^2 bytes, `512MB` is 512 * 1000^2, `512` is bytes.
 * Returns whole bytes, at least 1. Throws USAGE for anything else.
 */
export function parseSize(text: string): number {
  const [, digits, prefix, suffix] = SIZE.exec(text.trim()) ?? [];
  if (digits === undefined || prefix === undefined || suffix === undefined) throw notASize(text);
  const power = prefix === '' ? 0 : 'KMGTP'.indexOf(prefix.toUpperCase()) + 1;
  if (power === 0 && suffix.length === 2) throw notASize(text);
  const bytes = Math.round(Number(digits) * (suffix.length === 1 ? 1000 : 1024) ** power);
  if (bytes < 1 || !Number.isSafeInteger(bytes)) throw notASize(text);
  return bytes;
}

/** Writes a size for people: three significant digits and a binary unit, such as `1.5 GiB` or `583 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be printed with four digits: from there on the next unit is the shorter one.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1);
  return `${digits} ${UNITS[unit]}`;
}

/** Writes `part` of `whole` as whole per cent, 100 % only for all of it; `-` when there is no whole. */
export function formatPercent(part: number, whole: number): string {
  if (whole <= 0) return '-';
  const percent = Math.round((part / whole) * 100);
  return `${part < whole ? Math.min(percent, 99) : percent} %`;
}

function notASize(text: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `expected a size such as 512M, 2G or 1.5G, found '${text}'`);
}
