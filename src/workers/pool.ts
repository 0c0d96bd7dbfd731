import type { Piscina } from 'piscina';
import { UpdateRepositoryError } from '../errors.js';
import type { WorkerAnswer, WorkerTask } from './entry.js';
import type { Job, JobResults } from './jobs.js';

/** How a job runs: the bytes that it has done are added to `progress`, one 64-bit integer; an abort ends it. */
export interface JobContext {
  readonly progress: SharedArrayBuffer;
  readonly signal: AbortSignal;
}

type Workers = Piscina<WorkerTask, WorkerAnswer>;

/** Worker threads that run {@link Job}s. It is made by whoever composes the work, and destroyed in its `finally`. */
export class WorkerPool {
  readonly #threads: number;
  #workers: Promise<Workers> | undefined;

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Starts the first thread ahead of the first job. */
  async start(): Promise<void> {
    this.#workers ??= startWorkers(this.#threads);
    await this.#workers;
  }

  /** Runs one job. An abort ends the worker at once: what it was writing stays behind and is the caller's to remove. */
  async run<K extends Job['kind']>(
    job: Extract<Job, { kind: K }>,
    { progress, signal }: JobContext,
  ): Promise<JobResults[K]> {
    this.#workers ??= startWorkers(this.#threads);
    const workers = await this.#workers;
    const answer = await workers.run({ job, progress }, { signal });
    if (!answer.ok) throw UpdateRepositoryError.fromJSON(answer.error);
    return answer.result as JobResults[K];
  }

  async destroy(): Promise<void> {
    const workers = await this.#workers;
    await workers?.destroy();
  }
}

/** The library is loaded here: a command that needs no other thread starts without it. */
async function startWorkers(threads: number): Promise<Workers> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: new URL('./entry.js', import.meta.url).href,
    // One at least: a thread that dies is then replaced, for the sake of the jobs that wait.
    minThreads: 1,
    maxThreads: threads,
    // Threads live as long as the pool: a new one would compile and warm up everything again.
    idleTimeout: 0x7fffffff,
  });
}
