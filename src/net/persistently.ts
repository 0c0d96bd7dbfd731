import { Patience, type RetryOptions } from './patience.js';

/**
 * Does `work` again that failed with NETWORK, as long as there is {@link Patience}. It is told which attempt it is, from 1
 * on.
 *
 * @param name what fails, for the note on each failure
 * @throws UpdateRepositoryError what the last try threw; INTERRUPTED
 */
export async function persistently<T>(
  name: string,
  options: RetryOptions,
  signal: AbortSignal,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const patience = new Patience(name, options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      await patience.afterFailure(error, signal);
    }
  }
}
