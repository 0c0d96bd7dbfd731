import type {
  BuildSummaryEvent,
  JobFailedEvent,
  JobFinishedEvent,
  JobStartedEvent,
  PlanEvent,
  RepositoryEvent,
  SeriesSummary,
} from '../../../src/events.js';

/** Names as long as they get, for a series of two images. */
export const OLD_IMAGE = 'puavo-os-acme-buster-2022-01-17-120001-amd64.img';
export const NEW_IMAGE = 'puavo-os-acme-buster-2022-01-20-173248-amd64.img';
export const DELTA = 'rdiffs/puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64.rdiff';

export const plan: PlanEvent = {
  type: 'plan',
  dryRun: false,
  actions: [
    { action: 'link', path: OLD_IMAGE, detail: 'new in the mirror', sizeBytes: 4293918720 },
    { action: 'link', path: NEW_IMAGE, detail: 'new in the mirror', sizeBytes: 4311744512 },
    { action: 'delta', path: DELTA, detail: `from ${OLD_IMAGE}`, sizeBytes: null },
    { action: 'write-index', path: 'CKSUMS', detail: 'new', sizeBytes: null },
  ],
};

export function started(job: number, path: string, totalBytes = 1000): JobStartedEvent {
  return { type: 'job-started', job, kind: kindOf(path), path, totalBytes };
}

export function progress(job: number, doneBytes: number): RepositoryEvent {
  return { type: 'job-progress', job, doneBytes };
}

export function finished(job: number, path: string): JobFinishedEvent {
  const detail = path === DELTA ? '14.2 % of the image' : 'hard-linked, squashfs';
  return { type: 'job-finished', job, kind: kindOf(path), path, sizeBytes: 611203847, durationMs: 123_000, detail };
}

export function failed(job: number, path: string): JobFailedEvent {
  const error = { code: 'VERIFICATION' as const, message: `${path}: other bytes`, data: {}, stack: 'at a.ts' };
  return { type: 'job-failed', job, kind: kindOf(path), path, error, fatal: false };
}

export const oneSeries: SeriesSummary = {
  series: 'puavo-os-acme-buster-amd64',
  images: 2,
  imageBytes: 8605663232,
  deltas: 2,
  deltaBytes: 1240304959,
  savedBytes: 7365358273,
  deltasTooLarge: 0,
};

export const buildSummary: BuildSummaryEvent = {
  type: 'build-summary',
  mirror: '/srv/www',
  dryRun: false,
  changed: true,
  series: [oneSeries],
  examined: 2,
  deltasMade: 1,
  failures: 0,
  durationMs: 192_345,
};

/** A whole build of {@link plan}, with something to say on the way. */
export const build: readonly RepositoryEvent[] = [
  { type: 'note', level: 'info', message: 'delta policy neighbours: the default' },
  plan,
  started(1, OLD_IMAGE),
  started(2, NEW_IMAGE),
  progress(1, 400),
  finished(1, OLD_IMAGE),
  { type: 'note', level: 'warning', subject: NEW_IMAGE, message: 'no squashfs' },
  finished(2, NEW_IMAGE),
  started(3, DELTA),
  finished(3, DELTA),
  { type: 'index-written', path: 'CKSUMS', sizeBytes: 312 },
  { type: 'file-removed', path: 'rdiffs/old.rdiff', sizeBytes: 2048 },
  buildSummary,
];

function kindOf(path: string): 'examine' | 'delta' {
  return path.endsWith('.rdiff') ? 'delta' : 'examine';
}
