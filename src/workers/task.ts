import type { JobKind } from '../events.js';
import type { Job, JobResults } from './jobs.js';
import type { JobContext } from './pool.js';

/** A job with what is needed to schedule it, to show it, and to use its result. */
export interface Task {
  readonly kind: JobKind;
  /** The file that it reads or makes, relative to the mirror, for people. */
  readonly path: string;
  /** Bytes that are read until it is done. */
  readonly totalBytes: number;
  /** What the job needs at its peak, for itself. */
  readonly memoryBytes: number;
  /** What it needs together with others. */
  readonly group?: TaskGroup;
  /** Runs the job and puts its result to use; a failure of either fails the task. `context` is what `run` runs it with. */
  perform(run: RunJob, context: JobContext): Promise<TaskOutcome>;
}

/** Tasks that work on something in common, which needs its memory from the first of them to the last. */
export interface TaskGroup {
  readonly memoryBytes: number;
}

export interface TaskOutcome {
  readonly sizeBytes: number | null;
  /** One phrase on the result. */
  readonly detail: string;
}

export type RunJob = <K extends Job['kind']>(job: Extract<Job, { kind: K }>) => Promise<JobResults[K]>;
