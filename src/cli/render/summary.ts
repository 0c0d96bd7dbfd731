import type {
  AuditSummaryEvent,
  BuildSummaryEvent,
  BundleSummaryEvent,
  ChannelListEvent,
  ChannelSummaryEvent,
  ComposeSummaryEvent,
  DeltaSummaryEvent,
  KeyListEvent,
  KeySummaryEvent,
  PatchSummaryEvent,
  PruneSummaryEvent,
  PublishSummaryEvent,
  RefreshSummaryEvent,
  SeriesSummary,
  UpdateCheckEvent,
  UpdateSummaryEvent,
  VerifySummaryEvent,
} from '../../events.js';
import { formatBytes, formatPercent } from '../bytes.js';
import { formatDuration } from '../durations.js';
import { channelListLines, channelSentence } from './channel-lines.js';
import type { Palette } from './colors.js';
import { count } from './count.js';
import { printable } from './printable.js';
import { type Column, renderTable } from './table.js';
import { keyListLines, keySummaryLines, refreshSentence } from './trust-lines.js';

/** How wide lines may be, and in which styles. */
export interface Layout {
  readonly width: number;
  readonly palette: Palette;
}

/** An event that ends a command. */
export type SummaryEvent =
  | BuildSummaryEvent
  | VerifySummaryEvent
  | PruneSummaryEvent
  | PublishSummaryEvent
  | AuditSummaryEvent
  | DeltaSummaryEvent
  | PatchSummaryEvent
  | ComposeSummaryEvent
  | BundleSummaryEvent
  | UpdateCheckEvent
  | UpdateSummaryEvent
  | KeyListEvent
  | KeySummaryEvent
  | RefreshSummaryEvent
  | ChannelListEvent
  | ChannelSummaryEvent;

/** The last words of a command: what it did, and what the mirror has now. */
export function summaryLines(summary: SummaryEvent, layout: Layout): string[] {
  switch (summary.type) {
    case 'build-summary':
      return summary.dryRun
        ? [dryRunSentence(summary)]
        : [...seriesTable(summary.series, layout), buildSentence(summary)];
    case 'verify-summary':
      return verifyLines(summary);
    case 'prune-summary':
      return pruneLines(summary);
    case 'publish-summary':
      return [publishSentence(summary)];
    case 'audit-summary':
      return [auditSentence(summary)];
    case 'delta-summary':
      return deltaLines(summary);
    case 'patch-summary':
      return [madeSentence(summary.target, summary.targetBytes, [summary.base, summary.delta], summary.durationMs)];
    case 'compose-summary':
      return [madeSentence(summary.delta, summary.deltaBytes, [summary.first, summary.second], summary.durationMs)];
    case 'bundle-summary':
      return [bundleSentence(summary)];
    case 'update-check':
      return [checkSentence(summary)];
    case 'update-summary':
      return [updateSentence(summary)];
    case 'key-list':
      return keyListLines(summary);
    case 'key-summary':
      return keySummaryLines(summary);
    case 'refresh-summary':
      return [refreshSentence(summary)];
    case 'channel-list':
      return channelListLines(summary);
    case 'channel-summary':
      return [channelSentence(summary)];
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'SERIES', align: 'left', shrinks: true },
  { title: 'IMAGES', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'DELTAS', align: 'right' },
  { title: 'SIZE', align: 'right' },
  { title: 'SAVED', align: 'right' },
  { title: '%', align: 'right' },
  { title: 'TOO LARGE', align: 'right' },
];

function seriesTable(series: readonly SeriesSummary[], { width, palette }: Layout): string[] {
  if (series.length === 0) return [];
  const all = series.length > 1 ? [...series, series.reduce(addUp, EMPTY_TOTAL)] : series;
  // The last column is there only for whom it concerns.
  const columns = series.some((one) => one.deltasTooLarge > 0) ? COLUMNS : COLUMNS.slice(0, -1);
  const [titles = '', ...lines] = renderTable(columns, all.map(seriesCells), width);
  return [palette.heading(titles), ...lines, ''];
}

function seriesCells(one: SeriesSummary): string[] {
  return [
    printable(one.series),
    String(one.images),
    formatBytes(one.imageBytes),
    String(one.deltas),
    formatBytes(one.deltaBytes),
    formatBytes(one.savedBytes),
    // What is saved and what is left make the full downloads that the deltas stand for.
    formatPercent(one.savedBytes, one.savedBytes + one.deltaBytes),
    String(one.deltasTooLarge),
  ];
}

const EMPTY_TOTAL: SeriesSummary = {
  series: 'total',
  images: 0,
  imageBytes: 0,
  deltas: 0,
  deltaBytes: 0,
  savedBytes: 0,
  deltasTooLarge: 0,
};

function addUp(total: SeriesSummary, one: SeriesSummary): SeriesSummary {
  return {
    series: total.series,
    images: total.images + one.images,
    imageBytes: total.imageBytes + one.imageBytes,
    deltas: total.deltas + one.deltas,
    deltaBytes: total.deltaBytes + one.deltaBytes,
    savedBytes: total.savedBytes + one.savedBytes,
    deltasTooLarge: total.deltasTooLarge + one.deltasTooLarge,
  };
}

function dryRunSentence({ mirror, changed }: BuildSummaryEvent): string {
  return `${printable(mirror)}: ${changed ? 'nothing was changed, this was a dry run' : 'up to date, nothing to do'}`;
}

function buildSentence(summary: BuildSummaryEvent): string {
  const facts = [
    summary.changed ? 'updated' : 'up to date',
    ...(summary.examined > 0 ? [`${count(summary.examined, 'image')} read`] : []),
    ...(summary.deltasMade > 0 ? [`${count(summary.deltasMade, 'delta')} made`] : []),
    ...(summary.failures > 0 ? [`${summary.failures} FAILED`] : []),
    formatDuration(summary.durationMs),
  ];
  return `${printable(summary.mirror)}: ${facts.join(', ')}`;
}

function verifyLines(summary: VerifySummaryEvent): string[] {
  const applied = summary.deltasApplied > 0 ? `, ${count(summary.deltasApplied, 'delta')} applied` : '';
  const checked = `${count(summary.files, 'file')}, ${formatBytes(summary.bytes)}${applied}`;
  const found =
    summary.errors + summary.warnings === 0
      ? 'nothing wrong'
      : `${count(summary.errors, 'error')}, ${count(summary.warnings, 'warning')}`;
  return [`${printable(summary.mirror)}: ${found} in ${checked}, ${formatDuration(summary.durationMs)}`];
}

function auditSentence({ mirrors, files, errors, warnings, durationMs }: AuditSummaryEvent): string {
  const found = errors + warnings === 0 ? 'nothing wrong' : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return `${count(mirrors, 'mirror')}: ${found} with ${count(files, 'file')}, ${formatDuration(durationMs)}`;
}

function pruneLines(summary: PruneSummaryEvent): string[] {
  const verb = summary.dryRun ? 'would be removed' : 'removed';
  const waiting =
    summary.waiting > 0
      ? `, ${count(summary.waiting, 'file')} (${formatBytes(summary.waitingBytes)}) not yet: the grace period runs`
      : '';
  const removed = `${count(summary.removed, 'file')} ${verb} (${formatBytes(summary.removedBytes)})`;
  return [`${printable(summary.mirror)}: ${removed}${waiting}`];
}

function publishSentence(summary: PublishSummaryEvent): string {
  const { target, dryRun, changed, uploaded, uploadedBytes, kept, foreign, generation, durationMs } = summary;
  const stored = `${count(uploaded, 'object')} (${formatBytes(uploadedBytes)})`;
  const facts = [
    ...(changed ? [dryRun ? `${stored} to be stored, this was a dry run` : `${stored} stored`] : ['up to date']),
    `${count(kept, 'object')} there already`,
    ...(foreign > 0 ? [`${count(foreign, 'object')} of others left alone`] : []),
    ...(generation === null ? [] : [`generation ${generation}`]),
    formatDuration(durationMs),
  ];
  return `${printable(target)}: ${facts.join(', ')}`;
}

function updateSentence(summary: UpdateSummaryEvent): string {
  const { dir, series, from, to, changed, authenticated, reason, fetchedBytes, durationMs } = summary;
  const here = to === null ? 'nothing is here' : `current is ${to}`;
  if (!changed) return `${printable(dir)}: ${here}: ${printable(reason)}`;
  const before = from === null ? '' : `, before it was ${from}`;
  const cost = `${formatBytes(fetchedBytes)} fetched, ${formatDuration(durationMs)}`;
  const label = authenticated || series === null ? '' : '; unauthenticated';
  return `${printable(dir)}: ${here}, which ${printable(reason)}${before}; ${cost}${label}`;
}

function checkSentence({ series, current, version, isNew, downloadBytes, reason }: UpdateCheckEvent): string {
  const opening = `${printable(series)}: `;
  if (!isNew) return `${opening}nothing new: ${version} ${printable(reason)}`;
  const cost = downloadBytes === null ? '' : `, ${formatBytes(downloadBytes)} to download`;
  const before = current === null ? 'nothing is here' : `here is ${current}`;
  return `${opening}${version} ${printable(reason)}${cost}; ${before}`;
}

function bundleSentence({ bundle, from, to, files, sizeBytes, goodUntil, durationMs }: BundleSummaryEvent): string {
  const start = from === null ? 'nothing' : from;
  const vouched = goodUntil === null ? 'unauthenticated' : `signed until ${goodUntil}`;
  const facts = [
    formatBytes(sizeBytes),
    `${start} to ${to}`,
    count(files, 'file'),
    vouched,
    formatDuration(durationMs),
  ];
  return `${printable(bundle)}: ${facts.join(', ')}`;
}

function madeSentence(path: string, bytes: number, from: readonly string[], durationMs: number): string {
  const sources = from.map(printable).join(' and ');
  return `${printable(path)}: ${formatBytes(bytes)}, made from ${sources}, ${formatDuration(durationMs)}`;
}

function deltaLines(summary: DeltaSummaryEvent): string[] {
  const { deltaBytes, targetBytes, copyCommands, literalBytes } = summary;
  const facts = [
    `${formatBytes(deltaBytes)}, ${formatPercent(deltaBytes, targetBytes)} of ${printable(summary.target)}`,
    `${count(copyCommands, 'copy', 'copies')} and ${formatBytes(literalBytes)} of literals`,
    ...(summary.verified ? ['verified'] : []),
    formatDuration(summary.durationMs),
  ];
  return [`${printable(summary.delta)}: ${facts.join(', ')}`];
}
