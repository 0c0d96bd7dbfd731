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

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} value */
export function seconds(value) {
  return `${value.toFixed(1)} s`;
}

/**
 * How often `ours` goes into `theirs`: above 1, ours is the better figure.
 * @param {number} theirs
 * @param {number} ours
 */
export function ratio(theirs, ours) {
  return `${(theirs / ours).toFixed(theirs / ours < 2 ? 3 : 1)} x`;
}
