import { nonsense } from '../../net/http/failures.js';
import type { StorageCall } from '../storage.js';
import { type HttpClient, isMissing } from './client.js';
import { refused } from './failures.js';
import type { Facts } from './revision.js';

/** What an answer says of an object, and when. */
export interface DatedFacts extends Facts {
  /** The server's clock. */
  readonly date: string | undefined;
}

/** Asks a server for one object; null where there is none. */
export async function factsOf(client: HttpClient, path: string, call: StorageCall): Promise<DatedFacts | null> {
  const request = client.about('HEAD', path);
  const { status, header } = await client.send('HEAD', path, call);
  if (isMissing(status)) return null;
  if (status !== 200) throw refused(request, status, header('location'));
  // Apache leaves the length of an empty object out of an answer to HEAD.
  const length = header('content-length') ?? (await client.send('GET', path, call)).header('content-length') ?? 'none';
  if (!/^\d{1,15}$/.test(length)) throw nonsense(request, 'a Content-Length', length);
  return {
    sizeBytes: Number(length),
    etag: header('etag'),
    lastModified: header('last-modified'),
    date: header('date'),
  };
}

/** The same of an object that was stored just now: without it the server shows something else than what it stores. */
export async function requireFacts(client: HttpClient, path: string, call: StorageCall): Promise<DatedFacts> {
  const facts = await factsOf(client, path, call);
  if (facts !== null) return facts;
  throw nonsense(client.about('HEAD', path), 'what was stored just now', 'none: does the server hide it?');
}
