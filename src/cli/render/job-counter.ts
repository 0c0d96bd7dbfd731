import type { JobKind, PlannedAction, RepositoryEvent } from '../../events.js';

/** Counts jobs: how many are planned, have begun and are over, by kind. */
export class JobCounter {
  readonly #planned = new Map<JobKind, number>();
  readonly #begun = new Map<JobKind, number>();
  #ended = 0;

  apply(event: RepositoryEvent): void {
    switch (event.type) {
      case 'plan':
        this.#addPlan(event.actions);
        break;
      case 'job-started':
        add(this.#begun, event.kind);
        break;
      case 'job-finished':
      case 'job-failed':
        this.#ended += 1;
        break;
      case 'target-failed':
        // What was stopped with it says nothing more.
        this.#ended = [...this.#begun.values()].reduce((sum, count) => sum + count, 0);
        break;
      default:
        break;
    }
  }

  /** Jobs that ended, well or not. */
  get ended(): number {
    return this.#ended;
  }

  /** Jobs that are expected in all; undefined while no plan names any. */
  get expected(): number | undefined {
    if (this.#planned.size === 0) return undefined;
    const kinds = new Set([...this.#planned.keys(), ...this.#begun.keys()]);
    return [...kinds].reduce((sum, kind) => sum + (this.#begun.get(kind) ?? 0) + this.toCome(kind), 0);
  }

  /** Jobs of `kind` that are planned but have not begun. */
  toCome(kind: JobKind): number {
    return Math.max(0, (this.#planned.get(kind) ?? 0) - (this.#begun.get(kind) ?? 0));
  }

  /** A plan is what is left to do from its event on. */
  #addPlan(actions: readonly PlannedAction[]): void {
    this.#planned.clear();
    for (const [kind, count] of this.#begun) this.#planned.set(kind, count);
    for (const { action } of actions) {
      const kind = jobOf[action];
      if (kind !== null) add(this.#planned, kind);
    }
  }
}

/** The job that carries out an action; null for what the main thread does in passing. */
const jobOf: Readonly<Record<PlannedAction['action'], JobKind | null>> = {
  examine: 'examine',
  link: 'examine',
  delta: 'delta',
  'check-delta': 'check-delta',
  'compress-delta': 'compress-delta',
  digest: 'digest',
  'write-index': null,
  sign: null,
  drop: null,
  remove: null,
  upload: 'upload',
  'check-object': 'check-object',
};

function add(counts: Map<JobKind, number>, kind: JobKind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
