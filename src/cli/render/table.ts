import { shortenMiddle } from './shorten.js';

/** One column of a table. */
export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Whether its cells may be shortened where the table is wider than the terminal. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
const SMALLEST_WIDTH = 12;

/**
 * Lays `rows` out under the titles of `columns`, as lines without trailing blanks. Where `width` is given, the columns
 * that may shrink give way until a line fits.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = fitWidths(columns, naturalWidths(columns, all), width);
  return all.map((cells) =>
    columns
      .map((column, index) => pad(column, cells[index] ?? '', widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map((_, index) => Math.max(...rows.map((cells) => cells[index]?.length ?? 0)));
}

/** Takes what is too much from the widest column that may shrink, again and again. */
function fitWidths(columns: readonly Column[], widths: readonly number[], limit: number): number[] {
  const fitted = [...widths];
  const total = () => fitted.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1));
  while (total() > limit) {
    const shrinking = columns.flatMap((column, index) => (column.shrinks === true ? [index] : []));
    const widest = shrinking.sort((a, b) => fitted[b]! - fitted[a]!)[0];
    if (widest === undefined || fitted[widest]! <= SMALLEST_WIDTH) break;
    fitted[widest]! -= 1;
  }
  return fitted;
}

function pad(column: Column, cell: string, width: number): string {
  const text = shortenMiddle(cell, width);
  return column.align === 'right' ? text.padStart(width) : text.padEnd(width);
}
