import type {
  JobFailedEvent,
  JobFinishedEvent,
  NoteEvent,
  PlanEvent,
  ProblemEvent,
  RepositoryEvent,
  TargetFailedEvent,
} from '../../events.js';
import { formatBytes } from '../bytes.js';
import { formatDuration } from '../durations.js';
import type { Palette } from './colors.js';
import { pathPlanText } from './path-table.js';
import { printable } from './printable.js';

/** One line about one event. `detail` is worth a line in a log, but not on a screen that shows bars. */
export interface EventLine {
  readonly level: 'detail' | 'note' | 'warning' | 'error';
  /** Printable text without its level. */
  readonly text: string;
}

/** The line for `event`, or undefined for an event that is no line of its own. */
export function eventLine(event: RepositoryEvent): EventLine | undefined {
  switch (event.type) {
    case 'note':
      return noteLine(event);
    case 'problem':
      return problemLine(event);
    case 'plan':
      return planLine(event);
    case 'path-plan':
      return event.dryRun ? undefined : { level: 'detail', text: pathPlanText(event) };
    case 'job-finished':
      return { level: 'detail', text: finishedText(event) };
    case 'job-failed':
      return event.fatal ? undefined : { level: 'error', text: failedText(event) };
    case 'target-failed':
      return { level: 'error', text: targetText(event) };
    case 'index-written':
    case 'file-removed':
      return { level: 'detail', text: fileText(event.type === 'file-removed' ? 'removed' : 'wrote', event) };
    case 'job-started':
    case 'job-progress':
    case 'build-summary':
    case 'verify-summary':
    case 'prune-summary':
    case 'publish-summary':
    case 'audit-summary':
    case 'delta-summary':
    case 'patch-summary':
    case 'compose-summary':
    case 'bundle-summary':
    case 'update-check':
    case 'update-summary':
    case 'inspection':
    case 'key-list':
    case 'key-summary':
    case 'refresh-summary':
    case 'channel-list':
    case 'channel-summary':
      return undefined;
  }
}

/** The line as it is printed, with its level in front. */
export function paintLine(line: EventLine, palette: Palette): string {
  switch (line.level) {
    case 'detail':
      return line.text;
    case 'note':
      return `note: ${line.text}`;
    case 'warning':
      return `${palette.warning('warning:')} ${line.text}`;
    case 'error':
      return `${palette.error('error:')} ${line.text}`;
  }
}

function noteLine(event: NoteEvent): EventLine {
  const subject = event.subject === undefined ? '' : `${printable(event.subject)}: `;
  return { level: event.level === 'warning' ? 'warning' : 'note', text: subject + printable(event.message) };
}

function problemLine(event: ProblemEvent): EventLine {
  return { level: event.level, text: `${printable(event.path)}: ${event.kind}: ${printable(event.message)}` };
}

function planLine(event: PlanEvent): EventLine | undefined {
  if (event.dryRun || event.actions.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const { action } of event.actions) counts.set(action, (counts.get(action) ?? 0) + 1);
  return { level: 'detail', text: `plan: ${[...counts].map(([action, count]) => `${action} ${count}`).join(', ')}` };
}

function finishedText(event: JobFinishedEvent): string {
  const size = event.sizeBytes === null ? [] : [formatBytes(event.sizeBytes)];
  const detail = event.detail === '' ? [] : [printable(event.detail)];
  return `${event.kind} ${printable(event.path)}: ${[...size, ...detail, formatDuration(event.durationMs)].join(', ')}`;
}

function failedText(event: JobFailedEvent): string {
  return `${event.kind} ${printable(event.path)}: ${printable(event.error.message)}`;
}

/** Most messages begin with the address of what they are about. */
function targetText({ target, error: { message, hint } }: TargetFailedEvent): string {
  const named = message.startsWith(target) ? message : `${target}: ${message}`;
  return printable(hint === undefined ? named : `${named} (hint: ${hint})`);
}

function fileText(verb: string, event: { readonly path: string; readonly sizeBytes: number }): string {
  return `${verb} ${printable(event.path)}: ${formatBytes(event.sizeBytes)}`;
}
