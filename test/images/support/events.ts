import type { RepositoryEvent } from '../../../src/events.js';

type EventOf<T extends RepositoryEvent['type']> = Extract<RepositoryEvent, { readonly type: T }>;

/** The events of one type, in their order. */
export function eventsOf<T extends RepositoryEvent['type']>(
  { events }: { readonly events: readonly RepositoryEvent[] },
  type: T,
): EventOf<T>[] {
  return events.filter((event): event is EventOf<T> => event.type === type);
}

/** The jobs that were started, as `kind path`, sorted. */
export function startedJobs(run: { readonly events: readonly RepositoryEvent[] }): string[] {
  return eventsOf(run, 'job-started')
    .map(({ kind, path }) => `${kind} ${path}`)
    .sort();
}

/** The indexes that were written, in their order. */
export function writtenIndexes(run: { readonly events: readonly RepositoryEvent[] }): string[] {
  return eventsOf(run, 'index-written').map(({ path }) => path);
}

/** The notes of a level, as `subject: message`. */
export function notes(
  run: { readonly events: readonly RepositoryEvent[] },
  level: 'info' | 'warning' = 'warning',
): string[] {
  return eventsOf(run, 'note')
    .filter((note) => note.level === level)
    .map(({ subject, message }) => (subject === undefined ? message : `${subject}: ${message}`));
}

/** What `verify` found, as `level kind path`, sorted. */
export function problems(run: { readonly events: readonly RepositoryEvent[] }): string[] {
  return eventsOf(run, 'problem')
    .map(({ level, kind, path }) => `${level} ${kind} ${path}`)
    .sort();
}
