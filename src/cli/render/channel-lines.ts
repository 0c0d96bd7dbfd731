import type { ChannelListEvent, ChannelSummaryEvent } from '../../events.js';
import { formatDuration } from '../durations.js';
import { count } from './count.js';
import { printable } from './printable.js';

/** A line a channel. */
export function channelListLines({ mirror, channels }: ChannelListEvent): string[] {
  if (channels.length === 0) return [`${printable(mirror)}: no channels`];
  const width = Math.max(...channels.map(({ name }) => printable(name).length));
  return channels.map(({ name, series, version, file }) => {
    const fault = file === 'good' ? '' : `  its file is ${file}`;
    return `${printable(name).padEnd(width)}  ${version}  ${printable(series)}${fault}`;
  });
}

/** What became of a channel. */
export function channelSentence(summary: ChannelSummaryEvent): string {
  const { mirror, name, series, version, before, written, durationMs } = summary;
  const state = version === null || series === null ? 'is removed' : `is ${version} of ${printable(series)}`;
  const was = before === null || before === version ? '' : `, before it was ${before}`;
  const done = written.length === 0 ? '' : `, ${count(written.length, 'file')} written`;
  return `${printable(mirror)}: channel ${printable(name)} ${state}${was}${done}, ${formatDuration(durationMs)}`;
}
