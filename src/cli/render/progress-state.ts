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

/** How many images' worth of bytes each kind of job reads: a guess at a kind of which none has begun yet. */
const IMAGES_READ: Readonly<Record<JobKind, number>> = {
  digest: 1,
  examine: 1,
  'check-delta': 1,
  // A delta is a part of an image, and read twice.
  'compress-delta': 0.5,
  delta: 3,
  download: 1,
  unpack: 0.5,
  patch: 1,
  compose: 1,
  upload: 1,
  'check-object': 1,
};
const KINDS = Object.keys(IMAGES_READ) as JobKind[];
const RATE_WINDOW_MS = 10_000;

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
  readonly #meter: RateMeter;
  #endedBytes = 0;

  constructor(nowMs: number) {
    this.#meter = new RateMeter(RATE_WINDOW_MS, nowMs);
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
      case 'target-failed':
        for (const job of this.#jobs.keys()) this.#end(job, nowMs);
        break;
      default:
        break;
    }
  }

  snapshot(nowMs: number): ProgressSnapshot {
    const doneBytes = this.#doneBytes();
    const totalBytes = this.#totalBytes();
    const bytesPerSecond = this.#meter.perSecond(nowMs);
    const leftBytes = totalBytes === undefined ? undefined : Math.max(0, totalBytes - doneBytes);
    return {
      running: [...this.#jobs.values()].sort((a, b) => a.place - b.place).map((job) => runningJob(job, nowMs)),
      ended: this.#counter.ended,
      expected: this.#counter.expected,
      bytesPerSecond,
      fraction: totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes),
      leftMs: leftBytes === undefined || bytesPerSecond === undefined ? undefined : (leftBytes / bytesPerSecond) * 1000,
    };
  }

  #start(event: JobStartedEvent, nowMs: number): void {
    const taken = new Set([...this.#jobs.values()].map(({ place }) => place));
    let place = 0;
    while (taken.has(place)) place += 1;
    this.#jobs.set(event.job, { started: event, place, doneBytes: 0, meter: new RateMeter(RATE_WINDOW_MS, nowMs) });
    const { count, bytes } = this.#begun.get(event.kind) ?? { count: 0, bytes: 0 };
    this.#begun.set(event.kind, { count: count + 1, bytes: bytes + event.totalBytes });
  }

  #advance(number: number, doneBytes: number, nowMs: number): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    job.doneBytes = Math.min(doneBytes, job.started.totalBytes);
    job.meter.add(nowMs, job.doneBytes);
    this.#meter.add(nowMs, this.#doneBytes());
  }

  #end(number: number, nowMs: number): void {
    const job = this.#jobs.get(number);
    if (job === undefined) return;
    this.#jobs.delete(number);
    this.#endedBytes += job.started.totalBytes;
    this.#meter.add(nowMs, this.#doneBytes());
  }

  #doneBytes(): number {
    return [...this.#jobs.values()].reduce((sum, job) => sum + job.doneBytes, this.#endedBytes);
  }

  /** The bytes of all jobs that have begun, and of those to come as if they were like the others of their kind. */
  #totalBytes(): number | undefined {
    if (this.#counter.expected === undefined || this.#begun.size === 0) return undefined;
    const imageBytes = this.#typicalImageBytes();
    return KINDS.reduce((sum, kind) => {
      const begun = this.#begun.get(kind);
      const typicalBytes = begun === undefined ? IMAGES_READ[kind] * imageBytes : begun.bytes / begun.count;
      return sum + (begun?.bytes ?? 0) + this.#counter.toCome(kind) * typicalBytes;
    }, 0);
  }

  /** The mean size of an image, as far as the jobs that have begun tell. */
  #typicalImageBytes(): number {
    let images = 0;
    let bytes = 0;
    for (const [kind, begun] of this.#begun) {
      images += begun.count * IMAGES_READ[kind];
      bytes += begun.bytes;
    }
    return bytes / images;
  }
}

function runningJob({ started, doneBytes, meter }: Job, nowMs: number): RunningJob {
  const { kind, path, totalBytes } = started;
  return { kind, path, doneBytes, totalBytes, bytesPerSecond: meter.perSecond(nowMs) };
}
