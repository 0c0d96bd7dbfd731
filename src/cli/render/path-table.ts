import type { LeftOut, PathPlanEvent, PlannedPath } from '../../events.js';
import { formatBytes } from '../bytes.js';
import { formatDuration } from '../durations.js';
import { leftOutText, pathReasonText } from './path-reason.js';
import { printable } from './printable.js';
import type { Layout } from './summary.js';
import { type Column, renderTable } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: '  FROM', align: 'left', shrinks: true },
  { title: 'HOPS', align: 'right' },
  { title: 'DOWNLOAD', align: 'right' },
  { title: 'DISK', align: 'right' },
  { title: 'TIME', align: 'right' },
  { title: 'WHY', align: 'left' },
];

/** The ways to a version, the chosen one with a star, and below them what was left out. */
export function pathTableLines(event: PathPlanEvent, { width, palette }: Layout): string[] {
  const [titles = '', ...rows] = renderTable(COLUMNS, event.paths.map(pathCells), width);
  const head = [`ways to version ${printable(event.wanted)} of ${printable(event.series)}:`, palette.heading(titles)];
  const more = event.moreLeftOut === 0 ? [] : [`left out: ${event.moreLeftOut} more`];
  const ways = event.paths.length === 0 ? [] : [...head, ...rows, ...lineLines(event)];
  return [...ways, ...event.leftOut.map(leftOutLine), ...more];
}

/** The chosen way in one line, for a log. */
export function pathPlanText({ paths, wanted }: PathPlanEvent): string {
  const [chosen] = paths;
  if (chosen === undefined) return `plan: no way to ${wanted}`;
  if (chosen.hops.length === 0) return `plan: ${wanted} is already here`;
  const { downloadBytes, durationMs } = chosen;
  const way = `${startText(chosen)} > ${printable(wanted)}`;
  return `plan: ${way}, ${formatBytes(downloadBytes)} to download, about ${formatDuration(durationMs)}`;
}

function lineLines({ line }: PathPlanEvent): string[] {
  return line === undefined ? [] : [`reckoned with ${formatBytes(line.bytesPerSecond)} a second (${line.source})`];
}

function pathCells(path: PlannedPath, index: number): string[] {
  return [
    `${index === 0 ? '*' : ' '} ${path.hops.length === 0 ? 'nothing to do' : startText(path)}`,
    String(path.hops.length),
    formatBytes(path.downloadBytes),
    formatBytes(path.diskBytes),
    formatDuration(path.durationMs),
    pathReasonText(path.reason),
  ];
}

/** The versions before the wanted one; a path may begin with a whole image. */
function startText({ hops }: PlannedPath): string {
  const start = hops[0]?.from ?? 'whole image';
  return [start, ...hops.slice(0, -1).map(({ to }) => to)].map(printable).join(' > ');
}

function leftOutLine({ filenames, reason }: LeftOut): string {
  return `left out: ${filenames.map(printable).join(' + ')}: ${leftOutText(reason)}`;
}
