import { type ErrorCode, hasCode, UpdateRepositoryError } from '../../errors.js';
import type { EventSink } from '../../events.js';
import { Patience, type RetryOptions } from '../../net/patience.js';
import { SLOW_RETRIEVAL } from './answer-failures.js';
import type { Health } from './health.js';
import type { Source } from './sources.js';

/** What goes wrong with a source, and not with the whole. All but NETWORK rules it out for good. */
const FAILURES_OF_SOURCES: readonly ErrorCode[] = [
  'NETWORK',
  'NOT_FOUND',
  'STORAGE',
  'CHANGED_WHILE_READ',
  'FORMAT',
  'VERIFICATION',
];
/** After these it rests behind the others. */
const FAILURES_THAT_REST: readonly ErrorCode[] = ['NETWORK', 'STORAGE', 'FORMAT', 'VERIFICATION'];

export interface TurnsOptions {
  readonly health: Health;
  readonly retry: RetryOptions;
}

/** How often the URLs beside the mirrors are asked that no mirror stands by: they may be long gone. */
const ATTEMPTS_BESIDE = 2;

/**
 * Whose turn it is to deliver one file: first the mirrors, healthy ones before those that failed lately, then the URLs beside
 * them. Who fails is followed by the next one at once; when all have failed, all are tried again after a pause, and where every
 * mirror is ruled out, only once more.
 */
export class Turns {
  readonly #path: string;
  readonly #health: Health;
  readonly #patience: Patience;
  /** With the URLs beside the mirrors where all of these are ruled out: little until one of them has brought something. */
  #patienceBeside: Patience;
  readonly #onEvent: EventSink;
  /** Groups in the order of preference, the mirrors first, without those that are ruled out. */
  #groups: readonly (readonly Source[])[];
  #waiting: Source[] = [];
  /** The last failure of each source: of this round, or for good. */
  readonly #failures = new Map<Source, UpdateRepositoryError>();

  constructor(path: string, groups: readonly (readonly Source[])[], { health, retry }: TurnsOptions) {
    this.#path = path;
    this.#health = health;
    this.#patience = new Patience(path, retry);
    this.#patienceBeside = new Patience(path, { ...retry, attempts: Math.min(ATTEMPTS_BESIDE, retry.attempts) });
    this.#onEvent = retry.onEvent;
    this.#groups = groups;
    this.#begin();
  }

  /** Whether there are sources besides `these` that were not tried in this round. */
  hasOtherThan(these: ReadonlySet<Source>): boolean {
    return this.#waiting.some((source) => !these.has(source));
  }

  /**
   * The source whose turn it is, after a pause where all have failed.
   *
   * @throws UpdateRepositoryError INTERRUPTED; where it is no use to go on, what all sources said: NOT_FOUND where none has
   * the file, CHANGED_WHILE_READ where none goes on with the same file, VERIFICATION or FORMAT where none has a good one, STORAGE
   * where all refuse, else NETWORK; with `data.isMissing` where any of them does not have it
   */
  async next(signal: AbortSignal): Promise<Source> {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    const source = this.#waiting.shift();
    if (source !== undefined) return source;
    const patience = this.#mirrors.length > 0 ? this.#patience : this.#patienceBeside;
    await patience.afterFailure(this.#failureOfAll(), signal);
    this.#begin();
    return await this.next(signal);
  }

  /** Puts a source that could go on behind those that were not tried yet. */
  defer(source: Source): void {
    this.#waiting.push(source);
  }

  /** Lets a source go on that did well. */
  keep(source: Source): void {
    this.#waiting.unshift(source);
  }

  /** All sources may be tried again, as if none had failed but those that are ruled out, and `last` comes last. */
  renew(last: Source): void {
    this.#patience.renew();
    if (!this.#mirrors.includes(last)) this.#patienceBeside = this.#patience;
    this.#begin();
    this.#waiting = this.#waiting.filter((source) => source !== last);
  }

  succeeded(source: Source): void {
    this.#failures.delete(source);
    this.#health.succeeded(source.mirror);
  }

  /** Takes note that a source failed; throws `error` where that is not the source's fault. */
  failed(source: Source, error: unknown): void {
    if (!(error instanceof UpdateRepositoryError) || !FAILURES_OF_SOURCES.includes(error.code)) throw error;
    this.#failures.set(source, error);
    if (FAILURES_THAT_REST.includes(error.code)) {
      const { retryAfterMs } = error.data;
      this.#health.failed(source.mirror, typeof retryAfterMs === 'number' ? retryAfterMs : 0);
    }
    if (error.code !== 'NETWORK') {
      this.#groups = this.#groups.map((group) => group.filter((one) => one !== source));
    }
    const [next] = this.#waiting;
    if (next === undefined) return;
    const message = `${error.message}; going on with ${next.name}`;
    this.#onEvent({ type: 'note', level: 'info', subject: this.#path, message });
  }

  /** Those that are not ruled out. */
  get #mirrors(): readonly Source[] {
    return this.#groups[0] ?? [];
  }

  #begin(): void {
    for (const [source, error] of this.#failures) if (error.code === 'NETWORK') this.#failures.delete(source);
    this.#waiting = this.#groups.flatMap((group) => this.#health.order(group));
  }

  #failureOfAll(): UpdateRepositoryError {
    const failures = [...this.#failures.values()];
    const [first] = failures;
    if (first === undefined) {
      const message = `${this.#path}: expected a mirror to fetch it from, found none`;
      return new UpdateRepositoryError('NOT_FOUND', message, { data: { path: this.#path } });
    }
    if (failures.length === 1) return first;
    const code = this.#codeOfAll(failures);
    const wrong = failures.find((failure) => failure.code === code);
    if ((code === 'VERIFICATION' || code === 'FORMAT') && wrong !== undefined) return wrong;
    const all = failures.map(({ message }) => message);
    const message = `${this.#path}: expected one of ${all.length} sources to have it, found ${all.join('; ')}`;
    const status = failures.find((failure) => failure.code === code)?.data.status;
    const isMissing = failures.some((failure) => failure.code === 'NOT_FOUND');
    return new UpdateRepositoryError(code, message, {
      data: {
        path: this.#path,
        ...(status === undefined ? {} : { status }),
        ...(isMissing ? { isMissing } : {}),
        ...(code === 'NETWORK' ? { retryAfterMs: shortestPause(failures), ...slownessOf(failures) } : {}),
      },
      cause: first,
    });
  }

  #codeOfAll(failures: readonly UpdateRepositoryError[]): ErrorCode {
    if (this.#groups.some((group) => group.length > 0)) return 'NETWORK';
    for (const code of ['VERIFICATION', 'CHANGED_WHILE_READ', 'FORMAT'] as const) {
      if (failures.some((failure) => hasCode(failure, code))) return code;
    }
    return failures.every((failure) => hasCode(failure, 'NOT_FOUND')) ? 'NOT_FOUND' : 'STORAGE';
  }
}

/** Whether nothing but their slowness keeps from those that may be asked again. */
function slownessOf(failures: readonly UpdateRepositoryError[]): { readonly reason?: string } {
  const passing = failures.filter(({ code }) => code === 'NETWORK');
  return passing.every(({ data }) => data.reason === SLOW_RETRIEVAL) ? { reason: SLOW_RETRIEVAL } : {};
}

/** The first that may be asked again decides. */
function shortestPause(failures: readonly UpdateRepositoryError[]): number {
  const pauses = failures
    .filter(({ code }) => code === 'NETWORK')
    .map(({ data }) => (typeof data.retryAfterMs === 'number' ? data.retryAfterMs : 0));
  return Math.min(...pauses);
}
