import { setMaxListeners } from 'node:events';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { MemoryBudget, neededAlone } from './memory-budget.js';
import { WorkerPool } from './pool.js';
import type { Task, TaskGroup } from './task.js';

/** How many jobs may run at once, and how much memory they may need together. */
export interface Resources {
  readonly jobs: number;
  readonly memoryBytes: number;
}

export interface TaskFailure {
  readonly task: Task;
  readonly error: UpdateRepositoryError;
}

interface CrewOptions {
  readonly resources: Resources;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** Takes a failure, and says whether it ends the whole. */
type OnFailure = (failure: TaskFailure) => boolean;

const PROGRESS_INTERVAL_MS = 100;

/** Runs tasks in worker threads within a budget of cores and memory, and reports on them. */
export class Crew implements AsyncDisposable {
  readonly #options: CrewOptions;
  readonly #pool: WorkerPool;
  #jobCount = 0;

  constructor(options: CrewOptions) {
    const { jobs } = options.resources;
    if (!Number.isSafeInteger(jobs) || jobs < 1) {
      throw new UpdateRepositoryError('USAGE', `expected at least one job at a time, found ${jobs}`);
    }
    this.#options = options;
    this.#pool = new WorkerPool(options.resources.jobs);
  }

  /** Starts a worker thread ahead of the first job. */
  async startThread(): Promise<void> {
    await this.#pool.start();
  }

  /**
   * Runs all tasks, largest first and those of a group together, each as soon as a core is free and its memory fits.
   * The first failure stops the rest and is thrown; with `keepGoing` all others still run and the failures are returned. Running out of space and an
   * abort stop in both cases.
   *
   * @throws UpdateRepositoryError MEMORY when a task alone does not fit, INTERRUPTED on abort, or what a task failed with.
   */
  async run(tasks: readonly Task[], keepGoing: boolean): Promise<TaskFailure[]> {
    const fatal = new AbortController();
    const stop = AbortSignal.any([this.#options.signal, fatal.signal]);
    // Every running job listens; Node would warn of more than ten.
    setMaxListeners(0, stop);
    const failures: TaskFailure[] = [];
    const isFatal = ({ code }: UpdateRepositoryError): boolean => !keepGoing || code === 'NO_SPACE';
    await this.#schedule(tasks, stop, (failure) => {
      if (isFatal(failure.error)) fatal.abort(failure.error);
      else failures.push(failure);
      return isFatal(failure.error);
    });
    if (this.#options.signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    if (fatal.signal.aborted) throw fatal.signal.reason;
    return failures;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  async #schedule(tasks: readonly Task[], stop: AbortSignal, onFailure: OnFailure): Promise<void> {
    const { jobs, memoryBytes } = this.#options.resources;
    const waiting = inOrder(tasks);
    const running = new Set<Promise<void>>();
    const budget = new MemoryBudget(memoryBytes, tasks);
    while (running.size > 0 || (waiting.length > 0 && !stop.aborted)) {
      const mayStart = !stop.aborted && running.size < jobs;
      const next = mayStart ? waiting.findIndex((task) => budget.fits(task)) : -1;
      if (next < 0) {
        await Promise.race(running);
        continue;
      }
      const task = waiting.splice(next, 1)[0]!;
      budget.take(task);
      const done = this.#perform(task, stop, onFailure).finally(() => {
        budget.giveBack(task);
        running.delete(done);
      });
      running.add(done);
    }
  }

  /** Never fails: what a task fails with goes to `onFailure`. */
  async #perform(task: Task, stop: AbortSignal, onFailure: OnFailure): Promise<void> {
    const { onEvent, resources } = this.#options;
    const { kind, path, totalBytes } = task;
    const job = ++this.#jobCount;
    const startedAt = performance.now();
    const progress = new SharedArrayBuffer(8);
    onEvent({ type: 'job-started', job, kind, path, totalBytes });
    const stopReporting = this.#reportProgress(job, progress);
    try {
      checkMemory(task, resources);
      const context = { progress, signal: stop };
      const outcome = await task.perform((work) => this.#pool.run(work, context), context);
      stopReporting();
      const durationMs = Math.round(performance.now() - startedAt);
      onEvent({ type: 'job-finished', job, kind, path, ...outcome, durationMs });
    } catch (cause) {
      stopReporting();
      // Tasks that were stopped along with another have not failed themselves.
      if (stop.aborted) return;
      const error = asOurs(fromSystemError(cause, 'work on it', path));
      const fatal = onFailure({ task, error });
      onEvent({ type: 'job-failed', job, kind, path, error: error.toJSON(), fatal });
    }
  }

  #reportProgress(job: number, progress: SharedArrayBuffer): () => void {
    const counter = new BigInt64Array(progress);
    let reported = 0;
    const timer = setInterval(() => {
      const doneBytes = Number(Atomics.load(counter, 0));
      if (doneBytes === reported) return;
      reported = doneBytes;
      this.#options.onEvent({ type: 'job-progress', job, doneBytes });
    }, PROGRESS_INTERVAL_MS);
    return () => clearInterval(timer);
  }
}

/**
 * Long tasks first: a short one at the end leaves fewer cores idle. Those of a group come together, so that what they
 * have in common is needed for a short time only. Equal ones keep their order.
 */
function inOrder(tasks: readonly Task[]): Task[] {
  const groups = [...groupedTasks(tasks).values()];
  const bytesOf = (group: readonly Task[]) => group.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  return groups
    .sort((a, b) => bytesOf(b) - bytesOf(a))
    .flatMap((group) => group.sort((a, b) => b.totalBytes - a.totalBytes));
}

/** The tasks of each group; one without is a group of its own. */
function groupedTasks(tasks: readonly Task[]): Map<TaskGroup | Task, Task[]> {
  const groups = new Map<TaskGroup | Task, Task[]>();
  for (const task of tasks) groups.set(task.group ?? task, [...(groups.get(task.group ?? task) ?? []), task]);
  return groups;
}

function checkMemory(task: Task, resources: Resources): void {
  const neededBytes = neededAlone(task);
  if (neededBytes <= resources.memoryBytes) return;
  // A need is rounded up, so that what the hint says is enough, and a budget down, so that the two never look the same.
  const needed = `${Math.ceil(neededBytes / 2 ** 20)}M`;
  throw new UpdateRepositoryError(
    'MEMORY',
    `${task.path}: needs ${needed} of memory, and the budget is ${budgetText(resources.memoryBytes)}`,
    {
      data: { path: task.path, neededBytes, budgetBytes: resources.memoryBytes },
      hint: `run it with --memory ${needed} or more`,
    },
  );
}

/** Whole MiB, rounded down, or bytes where it is less than one. */
function budgetText(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${Math.floor(bytes / 2 ** 20)}M`;
}

function asOurs(error: unknown): UpdateRepositoryError {
  if (error instanceof UpdateRepositoryError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const ours = new UpdateRepositoryError('INTERNAL', message, { cause: error });
  if (error instanceof Error && error.stack !== undefined) ours.stack = error.stack;
  return ours;
}
