import { UpdateRepositoryError } from '../../errors.js';
import type { HttpClient } from './client.js';

const TIMEOUT_MS = 10_000;

/** Removes what is of no use any more, also after an abort. Where that fails a later publish finds it. */
export async function discard(client: HttpClient, paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) await client.send('DELETE', path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    if (!(error instanceof UpdateRepositoryError)) throw error;
  }
}
