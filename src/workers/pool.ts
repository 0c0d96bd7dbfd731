import { Piscina } from 'piscina';
import { UpdateRepositoryError } from '../errors.js';
import type { WorkerAnswer, WorkerTask } from './entry.js';
import type { Job, JobResults } from './jobs.js';

/** Worker threads that run {@link Job}s. It is made by whoever composes the work, and destroyed in its `finally`. */
export class WorkerPool {
  readonly #piscina: Piscina<WorkerTask, WorkerAnswer>;

  constructor(threads: number) {
    this.#piscina = new Piscina({
      filename: new URL('./entry.js', import.meta.url).href,
      // One at least: a thread that dies is then replaced, for the sake of the jobs that wait.
      minThreads: 1,
      maxThreads: threads,
      // Threads live as long as the pool: a new one would compile and warm up everything again.
      idleTimeout: 0x7fffffff,
    });
  }

  /**
   * Runs one job. The bytes that it has done are added to `progress`, one 64-bit integer. An abort ends the worker at once: what it
   * was writing stays behind and is the caller's to remove.
   */
  async run<K extends Job['kind']>(
    job: Extract<Job, { kind: K }>,
    options: { readonly progress: SharedArrayBuffer; readonly signal: AbortSignal },
  ): Promise<JobResults[K]> {
    const answer = await this.#piscina.run({ job, progress: options.progress }, { signal: options.signal });
    if (!answer.ok) throw UpdateRepositoryError.fromJSON(answer.error);
    return answer.result as JobResults[K];
  }

  async destroy(): Promise<void> {
    await this.#piscina.destroy();
  }
}
