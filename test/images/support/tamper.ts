import { readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs';

/** The contents of a file with one byte in its middle turned round. */
export function flippedBytes(path: string): Buffer {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
  return bytes;
}

/** Turns one byte of a file round where it lies, all its hard links with it, and gives it its old mtime back. */
export function editInPlace(path: string): void {
  const { atime, mtime } = statSync(path);
  writeFileSync(path, flippedBytes(path), { flag: 'r+' });
  utimesSync(path, atime, mtime);
}

/** Puts another file with one byte changed, and an mtime of long ago, in the place of a file. */
export function replaceByOlder(path: string): void {
  const next = `${path}.next`;
  writeFileSync(next, flippedBytes(path));
  utimesSync(next, 1_000_000_000, 1_000_000_000);
  renameSync(next, path);
}

/** Puts another file with the same bytes in the place of a file. */
export function replaceBySame(path: string): void {
  const next = `${path}.next`;
  writeFileSync(next, readFileSync(path));
  renameSync(next, path);
}
