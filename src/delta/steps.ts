import type { DeltaPart } from './delta-part.js';

/** Parts to run side by side; the next ones come when all of these are done. A part's error is thrown into it. */
export type Steps<Result> = Generator<readonly DeltaPart[], Result, void>;

/** Runs all parts in this thread, one after the other. */
export function runSteps<Result>(steps: Steps<Result>, run: (part: DeltaPart) => void): Result {
  let step = steps.next();
  while (step.done !== true) {
    try {
      for (const part of step.value) run(part);
      step = steps.next();
    } catch (error) {
      step = steps.throw(error);
    }
  }
  return step.value;
}

/** Runs parts side by side, wherever `run` runs them. */
export async function runStepsAside<Result>(
  steps: Steps<Result>,
  run: (part: DeltaPart) => Promise<void>,
): Promise<Result> {
  let step = steps.next();
  while (step.done !== true) {
    try {
      await allOf(step.value.map(run));
      step = steps.next();
    } catch (error) {
      step = steps.throw(error);
    }
  }
  return step.value;
}

/** Waits for all, whatever happens to them, and then throws the first error: nobody is left at work. */
async function allOf(running: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(running);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
