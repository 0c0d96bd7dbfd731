/** One line of `rsync --list-only`. */
export interface ListedEntry {
  readonly kind: 'file' | 'directory';
  /** Relative to the root; `.` is the root itself. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Since 1970, in UTC; rsync lists no fractions. */
  readonly mtimeSeconds: number;
}

/*
 * `-rw-r--r--  1234567890 2026/11/26 15:52:42 rdiffs/x`: type and mode, size, time in UTC (TZ=UTC), name. With
 * --8-bit-output what is UTF-8 stands as it is; other control bytes, and a backslash that would be taken for the start of
 * this very form, are `\#` and three octal digits.
 */
const LINE = /^([-d])\S{9,10} +(\d+) (\d{4,})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) (.+)$/u;

/**
 * Reads a line of a listing; null for what is neither a file nor a directory (a link, say), for a name that no object
 * can have, and for any other text.
 */
export function parseListedLine(line: string): ListedEntry | null {
  const match = LINE.exec(line);
  if (match === null) return null;
  const [, type, size, year, month, day, hour, minute, second, name] = match;
  const path = unescapeName(name ?? '');
  const sizeBytes = Number(size);
  if (path === null || !Number.isSafeInteger(sizeBytes)) return null;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return { kind: type === 'd' ? 'directory' : 'file', path, sizeBytes, mtimeSeconds: time / 1000 };
}

/** The name that rsync printed; null where it is no text, or holds a control character. */
export function unescapeName(printed: string): string | null {
  const name = printed.replaceAll(/\\#([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return /[\p{Cc}\uFFFD]/u.test(name) ? null : name;
}
