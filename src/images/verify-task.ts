import { hasCode } from '../errors.js';
import type { ProblemEvent } from '../events.js';
import type { RunJob, Task } from '../workers/task.js';

/** Takes what `verify` finds. */
export type Report = (problem: ProblemEvent) => void;

/** Chunks and their bit-reversed copy; for a delta, the decoder's buffers as well. */
export const VERIFY_MEMORY_BYTES = 48 << 20;

/** A task whose failures are findings about its file. */
export function reportingTask(
  shown: Pick<Task, 'kind' | 'path' | 'totalBytes' | 'memoryBytes'>,
  report: Report,
  work: (run: RunJob) => Promise<string>,
): Task {
  return {
    ...shown,
    async perform(run) {
      try {
        return { sizeBytes: shown.totalBytes, detail: await work(run) };
      } catch (error) {
        const kind = problemKind(error);
        if (kind === null || !(error instanceof Error)) throw error;
        report({ type: 'problem', level: 'error', kind, path: shown.path, message: error.message });
        return { sizeBytes: null, detail: 'wrong' };
      }
    },
  };
}

function problemKind(error: unknown): ProblemEvent['kind'] | null {
  if (hasCode(error, 'NOT_FOUND')) return 'missing';
  if (hasCode(error, 'IO') || hasCode(error, 'CHANGED_WHILE_READ')) return 'unreadable';
  return hasCode(error, 'VERIFICATION') || hasCode(error, 'FORMAT') ? 'mismatch' : null;
}
