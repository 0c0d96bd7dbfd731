import type { UpdateRepositoryError } from '../errors.js';
import type { EventSink, JobKind } from '../events.js';
import type { ReleaseObject } from './release.js';

interface ManyJobsOptions {
  readonly onEvent: EventSink;
  /** What is said of each job that is done. */
  readonly detail: string;
  readonly nextJob: () => number;
}

interface Job {
  readonly job: number;
  readonly path: string;
  readonly totalBytes: number;
  readonly startedAt: number;
  /** The most of it that was told of: a transfer may begin again. */
  doneBytes: number;
  finished: boolean;
}

/** Tells of objects that one process works off as of one job each. */
export class ManyJobs {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #kind: JobKind;
  readonly #options: ManyJobsOptions;
  readonly #jobs = new Map<string, Job>();

  constructor(objects: readonly ReleaseObject[], kind: JobKind, options: ManyJobsOptions) {
    this.#sizes = new Map(objects.map(({ path, sizeBytes }) => [path, sizeBytes]));
    this.#kind = kind;
    this.#options = options;
  }

  /** The first word on an object starts its job, and all of its bytes end it; what comes after that is not told. */
  progress(path: string, doneBytes: number): void {
    const totalBytes = this.#sizes.get(path);
    if (totalBytes === undefined) return;
    const job = this.#jobs.get(path) ?? this.#start(path, totalBytes);
    if (job.finished) return;
    job.doneBytes = Math.max(job.doneBytes, Math.min(doneBytes, totalBytes));
    this.#options.onEvent({ type: 'job-progress', job: job.job, doneBytes: job.doneBytes });
    if (doneBytes >= totalBytes) this.#end(job);
  }

  /** All is done, also what nothing was said of. */
  finish(): void {
    for (const [path, sizeBytes] of this.#sizes) this.progress(path, sizeBytes);
  }

  /** What had begun has failed. */
  fail(error: UpdateRepositoryError): void {
    for (const { job, path, finished } of this.#jobs.values()) {
      if (finished) continue;
      this.#options.onEvent({ type: 'job-failed', job, kind: this.#kind, path, error: error.toJSON(), fatal: true });
    }
  }

  #start(path: string, totalBytes: number): Job {
    const startedAt = performance.now();
    const job: Job = { job: this.#options.nextJob(), path, totalBytes, startedAt, doneBytes: 0, finished: false };
    this.#jobs.set(path, job);
    this.#options.onEvent({ type: 'job-started', job: job.job, kind: this.#kind, path, totalBytes });
    return job;
  }

  #end(job: Job): void {
    job.finished = true;
    this.#options.onEvent({
      type: 'job-finished',
      job: job.job,
      kind: this.#kind,
      path: job.path,
      sizeBytes: job.totalBytes,
      durationMs: Math.round(performance.now() - job.startedAt),
      detail: this.#options.detail,
    });
  }
}
