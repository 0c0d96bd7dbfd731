/*
 * What comes of a single delta that is made, applied or composed, as src/events.ts has it for everything.
 */

/** The end of `delta`; the paths are as they were given. */
export interface DeltaSummaryEvent {
  readonly type: 'delta-summary';
  readonly base: string;
  readonly target: string;
  readonly delta: string;
  readonly baseBytes: number;
  readonly targetBytes: number;
  readonly deltaBytes: number;
  readonly copyCommands: number;
  /** Bytes of the target that come from the base. */
  readonly copiedBytes: number;
  readonly literalCommands: number;
  /** Bytes of the target that the delta carries. */
  readonly literalBytes: number;
  readonly effort: 'fast' | 'normal' | 'max';
  /** Whether the delta was applied and made the target. */
  readonly verified: boolean;
  readonly durationMs: number;
}

/** The end of `patch`; the paths are as they were given. */
export interface PatchSummaryEvent {
  readonly type: 'patch-summary';
  readonly base: string;
  readonly delta: string;
  readonly target: string;
  readonly targetBytes: number;
  readonly durationMs: number;
}

/** The end of `compose`; the paths are as they were given. */
export interface ComposeSummaryEvent {
  readonly type: 'compose-summary';
  readonly first: string;
  readonly second: string;
  readonly delta: string;
  readonly deltaBytes: number;
  readonly targetBytes: number;
  readonly durationMs: number;
}
