import type { UpdateRepositoryError } from '../../errors.js';
import { PRIVATE_DIR } from '../../metadata/mirror-paths.js';
import { urlOf } from '../../net/http/address.js';
import { nonsense } from '../../net/http/failures.js';
import type { StorageCall } from '../storage.js';
import { parseAutoindex } from './autoindex.js';
import { type HttpClient, isMissing } from './client.js';
import { refused } from './failures.js';
import { type ListedEntry, PROPFIND_BODY, parseMultistatus } from './multistatus.js';
import { XmlFault } from './xml.js';

/** How a server tells what is in a directory: WebDAV's PROPFIND, or a JSON list on GET as nginx can give it. */
export type ListingKind = 'propfind' | 'autoindex';

/** Where objects are while they are written; never listed. */
export const TEMPORARY_DIR = `${PRIVATE_DIR}/tmp/`;

/** An object with its path. */
export interface ListedObject extends ListedEntry {
  readonly path: string;
}

/** Far above a directory of a hundred thousand files. */
const MAX_LISTING_BYTES = 64 << 20;
const MAX_DEPTH = 32;

/**
 * All objects whose path starts with `prefix`, one request a directory. `onDirectory` is told of those that are there,
 * with a slash at the end.
 *
 * @throws UpdateRepositoryError STORAGE for an answer that makes no sense; what the client throws
 */
export async function* walk(
  client: HttpClient,
  kind: ListingKind,
  prefix: string,
  call: StorageCall,
  onDirectory: (path: string) => void,
): AsyncGenerator<ListedObject> {
  const waiting = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
  const seen = new Set<string>();
  const enter = (path: string) => {
    if (path !== TEMPORARY_DIR && (path.startsWith(prefix) || prefix.startsWith(path))) waiting.push(path);
  };
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (seen.has(directory)) continue;
    seen.add(directory);
    const entries = await listDirectory(client, kind, directory, call);
    if (entries === null) continue;
    onDirectory(directory);
    for (const entry of entries) {
      const path = directory + entry.name;
      if (entry.directory) enter(`${path}/`);
      else if (path.startsWith(prefix)) yield { ...entry, path };
    }
    // nginx leaves out what begins with a dot.
    if (directory === '') enter(`${PRIVATE_DIR}/`);
    if (directory.split('/').length > MAX_DEPTH) throw tooDeep(client, directory);
  }
}

/** What is in a directory; null where there is none. Its path ends in a slash, or is empty. */
export async function listDirectory(
  client: HttpClient,
  kind: ListingKind,
  directory: string,
  call: StorageCall,
): Promise<ListedEntry[] | null> {
  return kind === 'propfind'
    ? await listByPropfind(client, directory, call)
    : await listByAutoindex(client, directory, call);
}

async function listByPropfind(client: HttpClient, directory: string, call: StorageCall): Promise<ListedEntry[] | null> {
  const request = client.about('PROPFIND', directory);
  const { status, header, text } = await client.text('PROPFIND', directory, MAX_LISTING_BYTES, call, {
    headers: { depth: '1', 'content-type': 'application/xml; charset=utf-8' },
    body: PROPFIND_BODY,
  });
  if (isMissing(status)) return null;
  if (status !== 207) throw refused(request, status, header('location'));
  try {
    return parseMultistatus(text, decodeURIComponent(urlOf(client.address, directory).pathname));
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error;
    throw nonsense(request, 'a multistatus document', error.message);
  }
}

async function listByAutoindex(
  client: HttpClient,
  directory: string,
  call: StorageCall,
): Promise<ListedEntry[] | null> {
  const request = client.about('GET', directory);
  const { status, header, text } = await client.text('GET', directory, MAX_LISTING_BYTES, call);
  if (isMissing(status)) return null;
  if (status !== 200) throw refused(request, status, header('location'));
  if (header('content-type')?.startsWith('application/json') !== true) {
    throw nonsense(
      request,
      'a list of the directory as JSON',
      header('content-type') ?? 'nothing that says what it is',
    );
  }
  return parseAutoindex(text, request.name);
}

function tooDeep(client: HttpClient, directory: string): UpdateRepositoryError {
  return nonsense(client.about('GET', directory), `at most ${MAX_DEPTH} directories in each other`, 'more');
}
