import { UpdateRepositoryError } from '../errors.js';
import { isSha256Hex, SHA256_FORM, type Sha256Hex } from './brands.js';
import { describeName, describeValue } from './describe-value.js';
import { CKSUM_FORM, isCksum } from './digests.js';
import { findNameFault, findRelativePathFault } from './safe-name.js';

/** A line of CKSUMS: `<cksum> <size> <file name>`, the output of POSIX `cksum`. */
export interface CksumEntry {
  /** A base name, also for deltas: old laptops compare whole lines. */
  readonly fileName: string;
  readonly sizeBytes: number;
  readonly cksum: string;
}

/** A line of SHA256SUMS: `<sha256>  <path>`, the output of coreutils' `sha256sum`. */
export interface Sha256Entry {
  /** Relative to the directory of the list. */
  readonly path: string;
  readonly sha256: Sha256Hex;
}

/** Far above any real mirror. */
const MAX_LINES = 1_000_000;

/** Writes CKSUMS. Throws NAME for a name that is unfit for a line, or that comes twice. */
export function renderCksums(entries: readonly CksumEntry[]): string {
  checkNames(
    'CKSUMS',
    entries.map((entry) => entry.fileName),
    findNameFault,
  );
  return entries.map(({ cksum, sizeBytes, fileName }) => `${cksum} ${sizeBytes} ${fileName}\n`).join('');
}

/**
 * Reads a CKSUMS of foreign origin; `file` opens the messages. A line that is repeated word for word counts once: Puavo's
 * producer writes them for an image in two series. Throws FORMAT with the number of the line. The caller bounds the
 * length of `text`.
 */
export function parseCksums(text: string, file: string): CksumEntry[] {
  const numbers = new Map<string, number>();
  for (const [index, line] of splitLines(text, file).entries()) if (!numbers.has(line)) numbers.set(line, index + 1);
  const entries = [...numbers].map(([line, number]) => parseCksumLine(line, `${file}: line ${number}`));
  checkUnique(
    entries.map((entry) => entry.fileName),
    file,
  );
  return entries;
}

/** Writes SHA256SUMS of the files beside it. Throws NAME for one that is no plain name, or that comes twice. */
export function renderSha256Sums(entries: readonly Sha256Entry[]): string {
  checkNames(
    'SHA256SUMS',
    entries.map((entry) => entry.path),
    findNameFault,
  );
  return entries.map(({ sha256, path }) => `${sha256}  ${path}\n`).join('');
}

/**
 * Reads a SHA256SUMS of foreign origin, with either of coreutils' marks for text and for binary; `file` opens the
 * messages. Throws FORMAT with the number of the line. The caller bounds the length of `text`.
 */
export function parseSha256Sums(text: string, file: string): Sha256Entry[] {
  const entries = splitLines(text, file).map((line, index) => parseSha256Line(line, `${file}: line ${index + 1}`));
  checkUnique(
    entries.map((entry) => entry.path),
    file,
  );
  return entries;
}

function parseCksumLine(line: string, where: string): CksumEntry {
  const [, cksum, size, fileName] = /^([0-9]+) ([0-9]+) (.+)$/su.exec(line) ?? [];
  if (cksum === undefined || size === undefined || fileName === undefined) {
    throw malformed(where, '"<cksum> <size> <file name>" with single blanks', describeValue(line));
  }
  if (!isCksum(cksum)) throw malformed(where, CKSUM_FORM, describeValue(cksum));
  const sizeBytes = Number(size);
  if (!Number.isSafeInteger(sizeBytes) || String(sizeBytes) !== size) {
    throw malformed(where, 'a size in bytes below 2^53 without leading zeros', describeValue(size));
  }
  const fault = findNameFault(fileName);
  if (fault !== null) throw malformed(where, 'a plain file name', `${fault} in ${describeValue(fileName)}`);
  return { fileName, sizeBytes, cksum };
}

function parseSha256Line(line: string, where: string): Sha256Entry {
  const [, sha256, path] = /^([^ ]*) [ *](.+)$/su.exec(line) ?? [];
  if (sha256 === undefined || path === undefined) {
    throw malformed(where, '"<sha256>  <path>" with two blanks', describeValue(line));
  }
  if (!isSha256Hex(sha256)) throw malformed(where, SHA256_FORM, describeValue(sha256));
  const fault = findRelativePathFault(path);
  if (fault !== null) throw malformed(where, 'a plain relative path', `${fault} in ${describeValue(path)}`);
  return { path, sha256 };
}

/** The lines of a list. A last line without its newline is what is left of a list that was cut off. */
function splitLines(text: string, file: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n', MAX_LINES + 1);
  if (lines.length > MAX_LINES) throw malformed(file, `at most ${MAX_LINES} lines`, 'more');
  if (!text.endsWith('\n')) throw malformed(file, 'a newline at the end', describeValue(lines.at(-1)));
  return lines.slice(0, -1);
}

function checkUnique(names: readonly string[], file: string): void {
  const lines = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const first = lines.get(name);
    if (first !== undefined) {
      throw malformed(`${file}: line ${index + 1}`, 'a name once', `${describeName(name)} of line ${first} again`);
    }
    lines.set(name, index + 1);
  }
}

function malformed(where: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('FORMAT', `${where}: expected ${expected}, found ${found}`);
}

/** What we write has to pass what we read. */
function checkNames(file: string, names: readonly string[], findFault: (name: string) => string | null): void {
  const seen = new Set<string>();
  for (const name of names) {
    const fault = seen.has(name) ? 'it a second time' : findFault(name);
    if (fault !== null) {
      throw new UpdateRepositoryError(
        'NAME',
        `${file}: expected ${describeName(name)} to be plain and listed once, found ${fault}`,
      );
    }
    seen.add(name);
  }
}
