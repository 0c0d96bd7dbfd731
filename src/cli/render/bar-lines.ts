import type { JobKind } from '../../events.js';
import { formatBytes } from '../bytes.js';
import { formatClock } from '../durations.js';
import { fileLabel } from './file-label.js';
import type { ProgressSnapshot, RunningJob } from './progress-state.js';
import { shortenMiddle } from './shorten.js';

const VERBS: Readonly<Record<JobKind, string>> = {
  examine: 'image',
  delta: 'delta',
  'check-delta': 'check',
  'compress-delta': 'zstd',
  digest: 'file',
  download: 'fetch',
  unpack: 'unzstd',
  patch: 'patch',
  compose: 'delta',
  upload: 'upload',
  'check-object': 'check',
};

/** Below this width a line has room for its name and its per cent only. */
const NARROW = 60;
const WIDE = 100;
const FOREVER_MS = 100 * 3600 * 1000;

/**
 * The lines of the progress display: one for each running job, at most `rows` in all, and last one for the whole. No
 * line is longer than `width`, so the terminal never wraps one.
 */
export function progressLines(snapshot: ProgressSnapshot, width: number, rows: number): string[] {
  const shown = snapshot.running.slice(0, Math.max(0, rows - 1));
  const hidden = snapshot.running.length - shown.length;
  const lines = [...shown.map((job) => jobLine(job, width)), wholeLine(snapshot, hidden, width)];
  return lines.map((line) => line.slice(0, width));
}

function jobLine(job: RunningJob, width: number): string {
  const fraction = job.totalBytes > 0 ? Math.min(1, job.doneBytes / job.totalBytes) : undefined;
  const leftMs = job.bytesPerSecond && ((job.totalBytes - job.doneBytes) / job.bytesPerSecond) * 1000;
  const meter = meterText({ fraction, bytesPerSecond: job.bytesPerSecond, leftMs }, width);
  const verb = VERBS[job.kind].padEnd(6);
  const room = width - verb.length - meter.length;
  return verb + fileLabel(job.path, room).padEnd(room) + meter;
}

function wholeLine(snapshot: ProgressSnapshot, hidden: number, width: number): string {
  const { ended, expected } = snapshot;
  const done = expected === undefined ? `${ended} done` : `${ended} of ${expected} done`;
  const label = hidden > 0 ? `${done}, ${hidden} more running` : done;
  const meter = meterText(snapshot, width);
  const room = width - meter.length;
  return shortenMiddle(label, room).padEnd(room) + meter;
}

/** ` [####------]  45 %   123 MiB/s    0:12`, always as wide for the same `width`. */
function meterText(of: Pick<ProgressSnapshot, 'fraction' | 'bytesPerSecond' | 'leftMs'>, width: number): string {
  const percent = (of.fraction === undefined ? '' : `${Math.floor(of.fraction * 100)} %`).padStart(6);
  if (width < NARROW) return percent;
  const bar = of.fraction === undefined ? '' : barText(of.fraction, barSize(width));
  const rate = of.bytesPerSecond === undefined ? '' : `${formatBytes(of.bytesPerSecond)}/s`;
  const left = of.leftMs === undefined || of.leftMs > FOREVER_MS ? '' : formatClock(of.leftMs);
  return ` ${bar.padEnd(barSize(width) + 2)}${percent}${rate.padStart(11)} ${left.padStart(6)}`;
}

function barSize(width: number): number {
  return width < WIDE ? 10 : 20;
}

function barText(fraction: number, size: number): string {
  const full = Math.floor(fraction * size);
  return `[${'#'.repeat(full)}${'-'.repeat(size - full)}]`;
}
