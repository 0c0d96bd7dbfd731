import type { JobKind, JobStartedEvent, RepositoryEvent } from '../../events.js';
import { JobCounter } from './job-counter.js';
import { RateMeter } from './rate-meter.js';

/** A job that is at work. */
export interface RunningJob {
  readonly kind: JobKind;
  readonly path: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number | undefined;
}

/** Where all the work stands at one moment. */
export interface ProgressSnapshot {
  /** In an order in which a job keeps its place as long as it runs. */
  readonly running: readonly RunningJob[];
  readonly ended: number;
  /** Jobs in all; undefined where nobody knows. */
  readonly expected: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Share of the work that is done, 0 to 1; undefined where nobody knows how much there will be. */
  readonly fraction: number | undefined;
  readonly leftMs: number | undefined;
}

/** How much longer a byte of each kind of job takes than a byte that is only hashed: roughly, as measured. */
const COST: Readonly<Record<JobKind, number>> = { digest: 1, examine: 1, 'check-delta': 2, delta: 8 };
const KINDS = Object.keys(COST) as JobKind[];
const BYTES_WINDOW_MS = 5_000;
const WORK_WINDOW_MS = 30_000;

interface Job {
  readonly started: JobStartedEvent;
  readonly place: number;
  readonly meter: RateMeter;
  doneBytes: number;
}

/** Follows the events of a command and says at any moment how far it is. The clock is the caller's. */
export class ProgressState {
  readonly #counter = new JobCounter();
  readonly #jobs = new Map<number, Job>();
  /** Of the jobs that have begun: how many, and their bytes. */
  readonly #begun = new Map<JobKind, { count: number; bytes: number }>();
  readonly #bytes: RateMeter;
  readonly #work: RateMeter;
  #endedBytes = 0;
  #endedWork = 0;

  constructor(nowMs: number) {
    this.#bytes = new RateMeter(BYTES_WINDOW_MS, nowMs);
    this.#work = new RateMeter(WORK_WINDOW_MS, nowMs);
  }

  /** Takes note of an event that came at `nowMs`. */
  apply(event: RepositoryEvent, nowMs: number): void {
    this.#counter.apply(event);
    switch (event.type) {
      case 'job-started':
        this.#start(event, nowMs);
        break;
      case 'job-progress':
        this.#advance(event.job, event.doneBytes, nowMs);
        break;
      case 'job-finished':
      case 'job-failed':
        this.#end(event.job, nowMs);
        break;
      default:
        break;
    }
  }

  snapshot(nowMs: number): ProgressSnapshot {
    const doneWork = this.#doneWork();
    const totalWork = this.#totalWork();
    const workRate = this.#work.perSecond(nowMs);
    return {
      running: [...this.#jobs.values()].sort((a, b) => a.place - b.place).map((job) => runningJob(job, nowMs)),
      ended: this.#counter.ended,
      expected: this.#counter.expected,
      bytesPerSecond: this.#bytes.perSecond(nowMs),
      fraction: totalWork === undefined || totalWork === 0 ? undefined : Math.min(1, doneWork / totalWork),
      leftMs:
        totalWork === undefined || workRate === undefined ? undefined : ((totalWork - doneWork) / workRate) * 1000,
    };
  }

  #start(event: JobStartedEvent, nowMs: number): void {
    const taken = new Set([...this.#jobs.values()].map(({ place }) => place));
    let place = 0;
    while (taken.has(place)) place += 1;
    this.#jobs.set(event.job, { started: event, place, doneBytes: 0, meter: new RateMeter(BYTES_WINDOW_MS, nowMs) });
    const { count, bytes } = this.#begun.get(event.kind) ?? { count: 0, bytes: 0 };
    this.#begun.set(event.kind, { count: count + 1, bytes: bytes + event.totalBytes });
  }

  #advance(number: number, doneBytes: number, nowMs: number): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    job.doneBytes = Math.min(doneBytes, job.started.totalBytes);
    job.meter.add(nowMs, job.doneBytes);
    this.#measure(nowMs);
  }

  #end(number: number, nowMs: number): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    const { kind, totalBytes } = job.started;
    this.#jobs.delete(number);
    this.#endedBytes += totalBytes;
    this.#endedWork += totalBytes * COST[kind];
    this.#measure(nowMs);
  }

  #measure(nowMs: number): void {
    const running = [...this.#jobs.values()].reduce((sum, job) => sum + job.doneBytes, 0);
    this.#bytes.add(nowMs, this.#endedBytes + running);
    this.#work.add(nowMs, this.#doneWork());
  }

  #doneWork(): number {
    const running = [...this.#jobs.values()].reduce((sum, job) => sum + job.doneBytes * COST[job.started.kind], 0);
    return this.#endedWork + running;
  }

  /** The work of all jobs that have begun, and of those to come as if they were as large as their kind's so far. */
  #totalWork(): number | undefined {
    if (this.#counter.expected === undefined || this.#begun.size === 0) return undefined;
    const all = [...this.#begun.values()].reduce((sum, one) => ({
      count: sum.count + one.count,
      bytes: sum.bytes + one.bytes,
    }));
    return KINDS.reduce((work, kind) => {
      const begun = this.#begun.get(kind);
      const typical = begun ?? all;
      const toComeBytes = this.#counter.toCome(kind) * (typical.bytes / typical.count);
      return work + ((begun?.bytes ?? 0) + toComeBytes) * COST[kind];
    }, 0);
  }
}

function runningJob({ started, doneBytes, meter }: Job, nowMs: number): RunningJob {
  const { kind, path, totalBytes } = started;
  return { kind, path, doneBytes, totalBytes, bytesPerSecond: meter.perSecond(nowMs) };
}
