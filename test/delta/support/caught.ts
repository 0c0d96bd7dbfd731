import { UpdateRepositoryError } from '../../../src/errors.js';

/** The error of ours that `work` fails with; anything else that happens is a failure of the test. */
export function caught(work: () => unknown): UpdateRepositoryError {
  try {
    work();
  } catch (error) {
    if (error instanceof UpdateRepositoryError) return error;
    throw error;
  }
  throw new Error('expected a failure, found none');
}
