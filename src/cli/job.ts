import type { DeltaHooks } from '../delta/hooks.js';
import { UpdateRepositoryError } from '../errors.js';
import type { JobKind } from '../events.js';
import type { Session } from './invocation.js';

const PROGRESS_INTERVAL_MS = 100;

/** What the one job of a command does, and on what. */
export interface SingleJob {
  readonly kind: JobKind;
  /** The file that it makes. */
  readonly path: string;
  readonly totalBytes: number;
}

/** What came of a job: the bytes that it made, and one phrase on them. */
export interface JobOutcome {
  readonly sizeBytes: number;
  readonly detail: string;
}

/**
 * Does the one job of a command on the main thread and tells its events. `work` lets the event loop run now and then,
 * or no signal and no progress would come through.
 */
export async function performJob<T extends JobOutcome>(
  { kind, path, totalBytes }: SingleJob,
  { signal, onEvent }: Session,
  work: (hooks: DeltaHooks) => Promise<T>,
): Promise<T & { readonly durationMs: number }> {
  const startedAt = performance.now();
  let reportedAt = startedAt;
  const onProgress = (doneBytes: number) => {
    if (performance.now() - reportedAt < PROGRESS_INTERVAL_MS) return;
    reportedAt = performance.now();
    onEvent({ type: 'job-progress', job: 1, doneBytes });
  };
  onEvent({ type: 'job-started', job: 1, kind, path, totalBytes });
  try {
    const outcome = await work({ onProgress, signal });
    const durationMs = Math.round(performance.now() - startedAt);
    const { sizeBytes, detail } = outcome;
    onEvent({ type: 'job-finished', job: 1, kind, path, sizeBytes, durationMs, detail });
    return { ...outcome, durationMs };
  } catch (error) {
    if (!signal.aborted && error instanceof UpdateRepositoryError) {
      onEvent({ type: 'job-failed', job: 1, kind, path, error: error.toJSON(), fatal: true });
    }
    throw error;
  }
}
