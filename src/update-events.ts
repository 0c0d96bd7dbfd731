/*
 * What the work on a device's images tells, as src/events.ts has it for everything: sizes are bytes, durations
 * milliseconds.
 */

/** The end of the making of a bundle. */
export interface BundleSummaryEvent {
  readonly type: 'bundle-summary';
  /** Its path, as it was given. */
  readonly bundle: string;
  readonly series: string;
  /** The version that has to be on a device; null where the path begins with a whole image. */
  readonly from: string | null;
  readonly to: string;
  /** How many images and deltas it carries. */
  readonly files: number;
  readonly sizeBytes: number;
  /** When the first file of the signed metadata that it carries ends to be good; null where it carries none. */
  readonly goodUntil: string | null;
  /** Bytes of images and deltas that were fetched, with what came twice. */
  readonly fetchedBytes: number;
  readonly durationMs: number;
}

/** The end of `update`. */
export interface UpdateSummaryEvent {
  readonly type: 'update-summary';
  /** The device's directory of images, as it was given. */
  readonly dir: string;
  /** Null where the mirrors were not asked. */
  readonly series: string | null;
  /** The version that was current; null for none. */
  readonly from: string | null;
  /** The version that is current now; null for none. */
  readonly to: string | null;
  /** Whether another image is current. */
  readonly changed: boolean;
  /** Whether a root that the device trusts vouches for what the mirrors said. */
  readonly authenticated: boolean;
  /** Why that version, as what follows it in a sentence: `is the newest`. */
  readonly reason: string;
  /** Bytes that the paths which were taken had to fetch. */
  readonly plannedBytes: number;
  /** Bytes of images and deltas that were fetched, with what came twice. */
  readonly fetchedBytes: number;
  /** Bytes of indexes. */
  readonly indexBytes: number;
  readonly durationMs: number;
}

/** What `--check` found: whether there is another version for this device. */
export interface UpdateCheckEvent {
  readonly type: 'update-check';
  readonly series: string;
  /** The version that the device runs; null where it has none. */
  readonly current: string | null;
  /** The version that it is to have next. */
  readonly version: string;
  /** The version where that leads: another one where `version` is a barrier. */
  readonly wanted: string;
  /** Whether `version` is not the current one. */
  readonly isNew: boolean;
  /** Bytes that the update takes; null where that was not asked. */
  readonly downloadBytes: number | null;
  /** Why that version, as what follows it in a sentence: `is the newest`. */
  readonly reason: string;
}

/** The ways to the version that an update is for: the first is taken, or with `--plan` would be. */
export interface PathPlanEvent {
  readonly type: 'path-plan';
  readonly dryRun: boolean;
  readonly series: string;
  /** The version that is wanted. */
  readonly wanted: string;
  /** The chosen one, then the next best; none where there is no way. */
  readonly paths: readonly PlannedPath[];
  readonly leftOut: readonly LeftOut[];
  /** How much more was left out. */
  readonly moreLeftOut: number;
  /** What the download was reckoned with; left out where nothing is downloaded, as from a bundle. */
  readonly line?: PlannedLine;
}

/** What a plan takes the line for. */
export interface PlannedLine {
  readonly bytesPerSecond: number;
  /** Whether the policy says so, downloads of earlier runs achieved it, or nobody knows. */
  readonly source: 'given' | 'measured' | 'assumed';
}

export interface PlannedPath {
  /** In order; none where the wanted version is on the device. */
  readonly hops: readonly PlannedHop[];
  readonly downloadBytes: number;
  /** Bytes to read from disk and to write. */
  readonly workBytes: number;
  /** Bytes on disk beside what is there now, at the moment when they are most. */
  readonly diskBytes: number;
  /** What it is expected to take. */
  readonly durationMs: number;
  readonly reason: PathReason;
}

export interface PlannedHop {
  readonly kind: 'image' | 'delta';
  /** The name of the image or delta. */
  readonly filename: string;
  /** The version of the base; null for a whole image. */
  readonly from: string | null;
  readonly to: string;
  readonly sizeBytes: number;
  /** What is left to fetch of it. */
  readonly downloadBytes: number;
}

/** Why a path is where it is in a plan; amounts are those by which it exceeds the chosen one. */
export type PathReason =
  /** Nothing is to be done: the wanted version is on the device. */
  | { readonly kind: 'present' }
  | { readonly kind: 'cheapest' }
  | { readonly kind: 'more-download'; readonly bytes: number }
  | { readonly kind: 'more-work'; readonly bytes: number }
  | { readonly kind: 'more-hops'; readonly hops: number }
  /** It costs as much, and the names of its files come later. */
  | { readonly kind: 'same-cost' };

/** Something that has no part in a plan though it might have been expected there. */
export interface LeftOut {
  /** Names of files: of a path, of a delta, of an image. */
  readonly filenames: readonly string[];
  readonly reason: LeftOutReason;
}

export type LeftOutReason =
  | { readonly kind: 'needs-space'; readonly neededBytes: number; readonly freeBytes: number }
  /** It failed in this run. */
  | { readonly kind: 'failed' }
  /** An image on the device that has not the sha256 that the mirror says. */
  | { readonly kind: 'other-bytes' }
  /** A delta that is too large a share of its target. */
  | { readonly kind: 'delta-share'; readonly share: number }
  | { readonly kind: 'whole-images-off' }
  /** A delta whose base, a version, is neither on the device nor on the mirror. */
  | { readonly kind: 'no-base'; readonly base: string };
