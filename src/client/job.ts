import { UpdateRepositoryError } from '../errors.js';
import type { JobKind } from '../events.js';
import type { Device } from './device/device.js';

const PROGRESS_INTERVAL_MS = 100;

/** Work that is told of while it runs. */
export interface Job {
  readonly kind: JobKind;
  /** The file that it makes. */
  readonly path: string;
  readonly totalBytes: number;
}

/** What came of a job; `detail` is one phrase on it. */
export interface JobResult<T> {
  readonly result: T;
  readonly sizeBytes: number;
  readonly detail: string;
}

/** Does a job of an update and tells of its beginning, its progress and its end. */
export async function performJob<T>(
  device: Pick<Device, 'nextJob' | 'signal' | 'onEvent'>,
  { kind, path, totalBytes }: Job,
  work: (onProgress: (doneBytes: number) => void) => Promise<JobResult<T>>,
): Promise<T> {
  const { signal, onEvent } = device;
  const job = device.nextJob();
  const startedAt = performance.now();
  let toldAt = startedAt;
  onEvent({ type: 'job-started', job, kind, path, totalBytes });
  try {
    const { result, sizeBytes, detail } = await work((doneBytes) => {
      if (performance.now() - toldAt < PROGRESS_INTERVAL_MS) return;
      toldAt = performance.now();
      onEvent({ type: 'job-progress', job, doneBytes });
    });
    const durationMs = Math.round(performance.now() - startedAt);
    onEvent({ type: 'job-finished', job, kind, path, sizeBytes, durationMs, detail });
    return result;
  } catch (error) {
    if (!signal.aborted && error instanceof UpdateRepositoryError) {
      onEvent({ type: 'job-failed', job, kind, path, error: error.toJSON(), fatal: false });
    }
    throw error;
  }
}
