/** The longest base name of the file systems that a mirror and its clients live on, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;

/** What a name must not hold, with how to say it. The order matters where a character breaks two rules. */
const RULES: readonly (readonly [pattern: RegExp, found: string])[] = [
  [/^$/u, 'an empty name'],
  // A file system's bytes that are not UTF-8 arrive as U+FFFD, a JSON escape may be half a surrogate pair.
  [/[\p{Cs}\uFFFD]/u, 'bytes that are not UTF-8'],
  [/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, 'a control character'],
  [/\s/u, 'a blank'],
  // coreutils escapes a line of a checksum list whose name holds a backslash.
  [/[/\\]/u, 'a slash or a backslash'],
  [/^\./u, 'a leading dot'],
  [/^-/u, 'a leading dash'],
  // Puavo's laptops put a name into a URL as it is.
  [/[%?#]/u, 'a character with a meaning in URLs (% ? #)'],
];

/**
 * What makes `name` unfit to be a file of a mirror, as a noun phrase; null when it is fit. A fit name is one base name
 * that stands for itself in a path, in a URL, on a command line and in a line of CKSUMS or SHA256SUMS.
 */
export function findNameFault(name: string): string | null {
  for (const [pattern, found] of RULES) if (pattern.test(name)) return found;
  const bytes = Buffer.byteLength(name);
  return bytes > MAX_NAME_BYTES ? `${bytes} bytes, more than the ${MAX_NAME_BYTES} of a file name` : null;
}

/** As {@link findNameFault} for a path below the mirror's root: fit names with single slashes between them. */
export function findRelativePathFault(path: string): string | null {
  for (const part of path.split('/')) {
    const fault = findNameFault(part);
    if (fault !== null) return fault;
  }
  return null;
}
