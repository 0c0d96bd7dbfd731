import { UpdateRepositoryError } from '../errors.js';

/** MEMORY, for an allocation that the system refused. */
export function notEnoughMemory(neededBytes: number, cause: unknown): UpdateRepositoryError {
  return new UpdateRepositoryError('MEMORY', `delta engine: expected ${neededBytes} bytes of memory, found less`, {
    data: { neededBytes },
    hint: 'run fewer jobs at once, or make the delta with less effort',
    cause,
  });
}
