import type { ChannelListEvent, ChannelSummaryEvent } from './channel-events.js';
import type { ComposeSummaryEvent, DeltaSummaryEvent, PatchSummaryEvent } from './delta-events.js';
import type { SerializedError } from './errors.js';
import type { Inspection } from './inspection.js';
import type { KeyListEvent, KeySummaryEvent, RefreshSummaryEvent } from './trust-events.js';
import type { BundleSummaryEvent, PathPlanEvent, UpdateCheckEvent, UpdateSummaryEvent } from './update-events.js';

export type * from './channel-events.js';
export type * from './delta-events.js';
export type * from './inspection.js';
export type * from './trust-events.js';
export type * from './update-events.js';

/**
 * What a long operation tells its caller while it runs. The library never prints: the command line renders these as a
 * terminal display, as plain lines or, with `--json`, as one JSON object a line. Sizes are bytes, durations
 * milliseconds, `path` is relative to the mirror unless it says otherwise.
 */
export type RepositoryEvent = AtTarget & AnyEvent;

interface AtTarget {
  /** With `publish`, the storage that it is about, without credentials. */
  readonly target?: string;
}

type AnyEvent =
  | NoteEvent
  | PlanEvent
  | JobStartedEvent
  | JobProgressEvent
  | JobFinishedEvent
  | JobFailedEvent
  | IndexWrittenEvent
  | FileRemovedEvent
  | ProblemEvent
  | BuildSummaryEvent
  | VerifySummaryEvent
  | PruneSummaryEvent
  | PublishSummaryEvent
  | TargetFailedEvent
  | AuditSummaryEvent
  | DeltaSummaryEvent
  | PatchSummaryEvent
  | ComposeSummaryEvent
  | BundleSummaryEvent
  | UpdateCheckEvent
  | UpdateSummaryEvent
  | PathPlanEvent
  | KeyListEvent
  | KeySummaryEvent
  | RefreshSummaryEvent
  | ChannelListEvent
  | ChannelSummaryEvent
  | InspectionEvent;

export type EventSink = (event: RepositoryEvent) => void;

/** Something the user should know that stops nothing. */
export interface NoteEvent {
  readonly type: 'note';
  readonly level: 'info' | 'warning';
  /** The file or series that it is about, where there is one. */
  readonly subject?: string;
  readonly message: string;
}

/** One thing that is going to be done, or with `--dry-run` would be. */
export interface PlannedAction {
  readonly action:
    | 'examine'
    | 'link'
    | 'delta'
    | 'check-delta'
    | 'compress-delta'
    | 'digest'
    | 'write-index'
    | 'sign'
    | 'drop'
    | 'remove'
    | 'upload'
    | 'check-object';
  /** The file that the action makes, checks, rewrites or removes. */
  readonly path: string;
  /** From what: the base of a delta, the reason of anything else. */
  readonly detail: string;
  /** Bytes that the result has or, measured on the series' earlier deltas, is expected to have; null when unknown. */
  readonly sizeBytes: number | null;
}

export interface PlanEvent {
  readonly type: 'plan';
  readonly dryRun: boolean;
  readonly actions: readonly PlannedAction[];
}

/**
 * The kinds of long work: hash and read an image, make a delta, apply or unpack one and compare, compress one, hash a file;
 * apply a delta into a file, make one delta of two;
 * store an object, read one back and compare.
 */
export type JobKind =
  | 'examine'
  | 'delta'
  | 'check-delta'
  | 'compress-delta'
  | 'digest'
  | 'download'
  | 'unpack'
  | 'patch'
  | 'compose'
  | 'upload'
  | 'check-object';

export interface JobStartedEvent {
  readonly type: 'job-started';
  readonly job: number;
  readonly kind: JobKind;
  readonly path: string;
  /**
   * Bytes that will be read until the job is done; for `patch` the size of the base, which the target's is near; for
   * `unpack` that of what it makes; for `upload` twice the size where it is read back.
   */
  readonly totalBytes: number;
}

export interface JobProgressEvent {
  readonly type: 'job-progress';
  readonly job: number;
  readonly doneBytes: number;
}

export interface JobFinishedEvent {
  readonly type: 'job-finished';
  readonly job: number;
  readonly kind: JobKind;
  readonly path: string;
  /** Bytes of the file that was read or made; null for a delta that was not worth publishing or compressing. */
  readonly sizeBytes: number | null;
  readonly durationMs: number;
  /** One phrase on the result, such as `12 % of the image`. */
  readonly detail: string;
}

export interface JobFailedEvent {
  readonly type: 'job-failed';
  readonly job: number;
  readonly kind: JobKind;
  readonly path: string;
  readonly error: SerializedError;
  /** Whether the operation ends with this very error: then it is told again, as the failure of the whole. */
  readonly fatal: boolean;
}

export interface IndexWrittenEvent {
  readonly type: 'index-written';
  readonly path: string;
  readonly sizeBytes: number;
}

export interface FileRemovedEvent {
  readonly type: 'file-removed';
  readonly path: string;
  readonly sizeBytes: number;
}

/** Something that `verify` or `audit` found wrong (`error`) or worth a look (`warning`). */
export interface ProblemEvent {
  readonly type: 'problem';
  readonly level: 'error' | 'warning';
  readonly kind: 'missing' | 'unlisted' | 'mismatch' | 'malformed' | 'inconsistent' | 'unreadable' | 'served' | 'stale';
  readonly path: string;
  readonly message: string;
}

export interface SeriesSummary {
  readonly series: string;
  readonly images: number;
  readonly imageBytes: number;
  readonly deltas: number;
  readonly deltaBytes: number;
  /** Sum over the deltas of target size minus delta size. */
  readonly savedBytes: number;
  /** Deltas that were made, or remembered, as not worth publishing. */
  readonly deltasTooLarge: number;
}

export interface BuildSummaryEvent {
  readonly type: 'build-summary';
  readonly mirror: string;
  readonly dryRun: boolean;
  /** False when nothing had to be written: the mirror was up to date. */
  readonly changed: boolean;
  readonly series: readonly SeriesSummary[];
  readonly examined: number;
  readonly deltasMade: number;
  readonly failures: number;
  readonly durationMs: number;
}

export interface VerifySummaryEvent {
  readonly type: 'verify-summary';
  readonly mirror: string;
  readonly files: number;
  readonly bytes: number;
  readonly deltasApplied: number;
  readonly errors: number;
  readonly warnings: number;
  readonly durationMs: number;
}

/** The end of `audit`; `path` of its problems is an address. */
export interface AuditSummaryEvent {
  readonly type: 'audit-summary';
  readonly mirrors: number;
  readonly files: number;
  readonly errors: number;
  readonly warnings: number;
  readonly durationMs: number;
}

export interface PruneSummaryEvent {
  readonly type: 'prune-summary';
  readonly mirror: string;
  readonly dryRun: boolean;
  readonly removed: number;
  readonly removedBytes: number;
  /** Files that no index names any more but whose grace period is not over. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

/** The end of `publish`, one a target. */
export interface PublishSummaryEvent {
  readonly type: 'publish-summary';
  readonly mirror: string;
  /** The storage, without credentials. */
  readonly target: string;
  readonly dryRun: boolean;
  /** False when nothing had to be stored: the storage was up to date. */
  readonly changed: boolean;
  /** The number of what readers see now; null before the first. */
  readonly generation: number | null;
  readonly uploaded: number;
  readonly uploadedBytes: number;
  /** Objects that were there already. */
  readonly kept: number;
  /** Objects that are not of this mirror. */
  readonly foreign: number;
  readonly durationMs: number;
}

/** One of several targets of `publish` could not be published to; the others are tried. */
export interface TargetFailedEvent {
  readonly type: 'target-failed';
  readonly target: string;
  readonly error: SerializedError;
}

/** What `inspect` found in a file; `path` is as it was given. */
export type InspectionEvent = {
  readonly type: 'inspection';
  readonly path: string;
  readonly sizeBytes: number;
} & Inspection;
