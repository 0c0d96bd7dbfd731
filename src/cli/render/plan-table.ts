import type { PlannedAction } from '../../events.js';
import { formatBytes } from '../bytes.js';
import type { Palette } from './colors.js';
import { printable } from './printable.js';
import { type Column, renderTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'ACTION', align: 'left' },
  { title: 'FILE', align: 'left', shrinks: true },
  { title: 'FROM OR WHY', align: 'left', shrinks: true },
  { title: 'SIZE', align: 'right' },
];

/** What a build or prune would do, as a table: action, file, from what or why, and size where it is known. */
export function planLines(
  actions: readonly PlannedAction[],
  layout: { readonly width: number; readonly palette: Palette },
): string[] {
  const rows = actions.map(({ action, path, detail, sizeBytes }) => [
    action,
    printable(path),
    printable(detail),
    sizeBytes === null ? 'unknown' : formatBytes(sizeBytes),
  ]);
  const [titles = '', ...lines] = renderTable(COLUMNS, rows, layout.width);
  return [layout.palette.heading(titles), ...lines];
}
