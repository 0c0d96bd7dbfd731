import { UpdateRepositoryError } from '../errors.js';
import type { EventSink } from '../events.js';
import { toFailure } from './failure.js';
import type { Session } from './invocation.js';

/** Something that is done to several places. */
export interface NamedTarget {
  /** Its address without credentials. */
  readonly name: string;
}

/**
 * Does `work` for one target after the other. One that fails does not keep the others from it: its failure is told by an
 * event, and at the end an error with the code of the first says which targets failed and which were done. A single
 * target fails with its own error. An interruption, and a bug, ends all at once. Every event says which target it is of.
 *
 * @throws UpdateRepositoryError
 */
export async function eachTarget<T extends NamedTarget>(
  targets: readonly T[],
  { signal, onEvent }: Session,
  work: (target: T, onEvent: EventSink) => Promise<void>,
): Promise<void> {
  const done: string[] = [];
  const failed: string[] = [];
  let first: UpdateRepositoryError | undefined;
  for (const target of targets) {
    const { name } = target;
    const tell: EventSink = (event) => onEvent({ ...event, target: name });
    try {
      await work(target, tell);
      done.push(name);
    } catch (error) {
      const failure = toFailure(error, signal);
      if (targets.length === 1 || failure.code === 'INTERRUPTED' || failure.code === 'INTERNAL') throw error;
      tell({ type: 'target-failed', target: name, error: failure.toJSON() });
      failed.push(name);
      first ??= failure;
    }
  }
  if (first === undefined) return;
  const which = done.length === 0 ? 'none was done' : `done: ${done.join(', ')}`;
  throw new UpdateRepositoryError(
    first.code,
    `${failed.length} of ${targets.length} targets failed: ${failed.join(', ')}; ${which}`,
    { data: { failed, done } },
  );
}
