import { expect } from 'vitest';
import { UpdateRepositoryError } from '../../../../src/errors.js';

/** The error of ours that `work` fails with; a test that expects one fails on a success and on any other error. */
export async function caught(work: Promise<unknown>): Promise<UpdateRepositoryError> {
  const outcome = await work.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (outcome instanceof UpdateRepositoryError) return outcome;
  if (outcome instanceof Error) throw outcome;
  return expect.fail(`expected an UpdateRepositoryError: ${String(outcome)}`);
}
