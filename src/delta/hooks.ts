import { UpdateRepositoryError } from '../errors.js';

/** How a caller follows and stops the engine's long loops. */
export interface DeltaHooks {
  /** Gets the bytes that are done, every few megabytes and at the end. */
  onProgress?(bytesDone: number): void;
  /** Looked at after each call of `onProgress`; the work then fails with INTERRUPTED. */
  readonly signal?: AbortSignal;
}

/** Tells the caller how far the work on `path` is, and stops it when the caller wants that. */
export function reportProgress(bytesDone: number, path: string, { onProgress, signal }: DeltaHooks): void {
  onProgress?.(bytesDone);
  if (signal?.aborted !== true) return;
  throw interrupted(path, signal.reason);
}

/** INTERRUPTED, for work on `path`. */
export function interrupted(path: string, reason: unknown): UpdateRepositoryError {
  return new UpdateRepositoryError('INTERRUPTED', `${path}: stopped by the caller`, { data: { path }, cause: reason });
}
