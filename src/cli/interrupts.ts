import { fromSystemError, isSystemError, UpdateRepositoryError } from '../errors.js';
import { EXIT } from './exit-codes.js';
import type { OutputStream } from './render/streams.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Why work stops when nobody can get its output any more: nobody is left to be told, either. */
export const OUTPUT_LOST = new UpdateRepositoryError('INTERRUPTED', 'the output cannot be written');

/**
 * Turns the first signal that asks `source`, the process, to end into an abort of `controller`; the work then stops
 * where it leaves nothing half-done. The second one calls `exit`, which ends the process at once.
 */
export function stopOnSignals(
  source: NodeJS.EventEmitter,
  controller: AbortController,
  exit: (code: number) => void,
): void {
  for (const name of SIGNALS) {
    source.on(name, () => {
      if (controller.signal.aborted) exit(EXIT.interrupted);
      controller.abort(new UpdateRepositoryError('INTERRUPTED', `interrupted by ${name}`));
    });
  }
}

/**
 * Aborts `controller` with {@link OUTPUT_LOST} when `stdout` cannot be written; without this Node would end the process
 * in the middle of its work. A reader that is gone (`… | head`) is nothing to speak of; any other failure goes to
 * `onFailure`.
 */
export function stopOnLostOutput(
  stdout: OutputStream,
  controller: AbortController,
  onFailure: (failure: unknown) => void,
): void {
  stdout.on('error', (error: Error) => {
    controller.abort(OUTPUT_LOST);
    if (!isSystemError(error, 'EPIPE')) onFailure(fromSystemError(error, 'write', 'standard output'));
  });
}
