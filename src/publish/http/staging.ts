import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { StorageCall } from '../storage.js';
import type { HttpClient } from './client.js';

/** Larger than what servers keep in memory before they write it anywhere. */
const HALF_BYTES = 1 << 20;
const HALF_WAIT_MS = 300;

/**
 * Whether PUT replaces an object at once, when all of the new one has come: half of one is sent, and then it is looked
 * whether readers still get the old one. nginx and Apache put what comes under another name first, and rename it.
 *
 * @param path an object that is there
 */
export async function isStaged(client: HttpClient, path: string, call: StorageCall): Promise<boolean> {
  const read = async () => (await client.text('GET', path, 4 * HALF_BYTES, call)).text;
  const startedAt = performance.now();
  const before = await read();
  const waitMs = HALF_WAIT_MS + 5 * (performance.now() - startedAt);
  const half = 'x'.repeat(HALF_BYTES);
  let meanwhile: string | undefined;
  const halves = async function* (): AsyncGenerator<string> {
    yield half;
    await wait(waitMs);
    meanwhile = await read();
    yield half;
  };
  await client.demand('PUT', path, [200, 201, 204], call, {
    headers: { 'content-length': String(2 * HALF_BYTES) },
    body: Readable.from(halves(), { objectMode: false, highWaterMark: 1 }),
  });
  return meanwhile === before && (await read()) === half + half;
}
