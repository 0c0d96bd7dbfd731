import { UpdateRepositoryError } from '../errors.js';
import type { OutputStream } from './render/streams.js';

/**
 * Writes bytes of a result to standard output; they may change once it is fulfilled. Why it cannot be written is told
 * where the stream's errors are (stopOnLostOutput): here the work only ends.
 */
export async function writeStdout(stdout: OutputStream, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stdout.write(bytes, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(new UpdateRepositoryError('INTERRUPTED', 'standard output cannot be written', { cause: error }));
    });
  });
}
