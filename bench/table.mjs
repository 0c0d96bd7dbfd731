/**
 * Lines up rows of cells: the first column to the left, the others to the right.
 * @param {readonly (readonly string[])[]} rows
 */
export function table(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}

/**
 * The same rows as a table of a Markdown page; the first row is its head.
 * @param {readonly (readonly string[])[]} rows
 */
export function markdownTable([head = [], ...rows]) {
  const line = (/** @type {readonly string[]} */ row) =>
    `| ${head.map((_, column) => (row[column] ?? '').replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${head.map((_, column) => (column === 0 ? '---' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} bytes */
export function grouped(bytes) {
  return bytes.toLocaleString('en-US');
}

/** @param {number} value */
export function seconds(value) {
  return `${value.toFixed(value < 100 ? 2 : 1)} s`;
}

/**
 * How often `ours` goes into `theirs`: above 1, ours is the better figure.
 * @param {number} theirs
 * @param {number} ours
 */
export function ratio(theirs, ours) {
  return `${(theirs / ours).toFixed(theirs / ours < 2 ? 3 : 1)} x`;
}
