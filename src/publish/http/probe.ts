import { randomBytes } from 'node:crypto';
import { PRIVATE_DIR } from '../../metadata/mirror-paths.js';
import { nonsense } from '../../net/http/failures.js';
import { STATE_PATH } from '../remote-state.js';
import type { StorageCall } from '../storage.js';
import { type HttpClient, isMissing } from './client.js';
import { hasConditions } from './conditions.js';
import { hasLocks } from './dav-lock.js';
import type { Directories } from './directories.js';
import { discard } from './discard.js';
import { refused } from './failures.js';
import { type ListingKind, listDirectory, TEMPORARY_DIR } from './listing.js';
import { type RevisionKind, timeOf } from './revision.js';
import { isStaged } from './staging.js';
import { type DatedFacts, factsOf, requireFacts } from './stat.js';

/** What a server can do, as it was seen to do it. */
export interface ServerPowers {
  readonly listing: ListingKind;
  readonly revisions: RevisionKind;
  /** Whether a revision tells two changes within one second apart. */
  readonly fineRevisions: boolean;
  /**
   * How an object is stored: by a PUT that replaces it at once, else by PUT to another name and MOVE, else in place.
   * MOVE never shows a part of it, but removes what was there before (RFC 4918 §9.9.3), so readers may miss it.
   */
  readonly storing: 'staged-put' | 'put-and-move' | 'put-in-place';
  /** PUT heeds If-Match and If-None-Match, also of those who write at the same time. */
  readonly conditionalPut: boolean;
  /** LOCK keeps others out. Not asked for where conditions do. */
  readonly lock: boolean;
}

/**
 * What can be seen of a server without storing anything: enough to list, and to tell whether what was published is as it
 * was.
 *
 * @param directories learns which are there
 * @throws UpdateRepositoryError STORAGE where it cannot be published to; what the client throws
 */
export async function lookAtServer(
  client: HttpClient,
  directories: Directories,
  call: StorageCall,
): Promise<ServerPowers> {
  const listing = await findListing(client, directories, call);
  const state = (await listDirectory(client, listing, `${PRIVATE_DIR}/`, call))?.find(
    ({ name }) => `${PRIVATE_DIR}/${name}` === STATE_PATH,
  );
  const facts = state === undefined ? null : await factsOf(client, STATE_PATH, call);
  const revisions = state?.etag !== undefined && facts?.etag !== undefined ? 'etag' : 'time';
  return { listing, revisions, fineRevisions: false, storing: 'put-in-place', conditionalPut: false, lock: false };
}

/**
 * Finds out what a server can do, by doing it with an object of its own below `.update-repository/tmp/`.
 *
 * @param directories learns which are there
 * @throws UpdateRepositoryError STORAGE where it cannot be published to; what the client throws
 */
export async function probeServer(
  client: HttpClient,
  directories: Directories,
  call: StorageCall,
): Promise<ServerPowers> {
  const listing = await findListing(client, directories, call);
  const name = `probe-${randomBytes(8).toString('hex')}`;
  const [path, moved] = [TEMPORARY_DIR + name, `${TEMPORARY_DIR}${name}-moved`];
  await directories.makeFor(path, call);
  try {
    await put(client, path, 'one', call);
    const first = await requireFacts(client, path, call);
    const listed = (await listDirectory(client, listing, TEMPORARY_DIR, call))?.find((entry) => entry.name === name);
    if (listed?.sizeBytes !== first.sizeBytes) {
      const found = listed === undefined ? 'no such object' : `one of ${listed.sizeBytes} bytes`;
      throw nonsense(client.about('list', TEMPORARY_DIR), 'the object that was just stored', found);
    }
    const revisions = listed.etag !== undefined && first.etag !== undefined ? 'etag' : 'time';
    if (revisions === 'time' && timeOf(first.lastModified) === null) {
      throw nonsense(client.about('HEAD', path), 'an ETag or the time of the last change', 'neither');
    }
    const fineRevisions = revisions === 'etag' && (await tellsApart(client, path, first, call));
    const storing = await findStoring(client, path, moved, call);
    const conditionalPut = fineRevisions && (await hasConditions(client, path, call));
    const lock = !conditionalPut && (await hasLocks(client, path, call));
    return { listing, revisions, fineRevisions, storing, conditionalPut, lock };
  } finally {
    await discard(client, [path, moved]);
  }
}

/**
 * Whether an object of other bytes has another ETag within the same second; when a second ends between, once more. The
 * bytes are as many each time: nginx makes its ETag of the second and the size.
 */
async function tellsApart(client: HttpClient, path: string, first: DatedFacts, call: StorageCall): Promise<boolean> {
  let before = first;
  for (const text of ['two', 'six', 'ten']) {
    await put(client, path, text, call);
    const after = await requireFacts(client, path, call);
    if (after.lastModified === before.lastModified) return after.etag !== before.etag;
    before = after;
  }
  return false;
}

async function findListing(client: HttpClient, directories: Directories, call: StorageCall): Promise<ListingKind> {
  const propfind = await client.send('PROPFIND', '', call, { headers: { depth: '0' } });
  if (propfind.status === 401) throw refused(client.about('PROPFIND', ''), 401);
  const kind: ListingKind = propfind.status === 207 || isMissing(propfind.status) ? 'propfind' : 'autoindex';
  if (propfind.status === 207) directories.seen('');
  if (kind === 'propfind') return kind;
  const { status, header } = await client.send('GET', '', call);
  if (isMissing(status)) return kind;
  if (status !== 200) throw refused(client.about('GET', ''), status, header('location'));
  directories.seen('');
  if (header('content-type')?.startsWith('application/json') === true) return kind;
  throw nonsense(
    client.about('GET', ''),
    'a server that lists directories, by PROPFIND (WebDAV) or as JSON (nginx: autoindex_format json)',
    `status ${propfind.status} for PROPFIND, and ${header('content-type') ?? 'no type'} for GET`,
  );
}

async function findStoring(
  client: HttpClient,
  path: string,
  moved: string,
  call: StorageCall,
): Promise<ServerPowers['storing']> {
  if (await isStaged(client, path, call)) return 'staged-put';
  return (await canMove(client, path, moved, call)) ? 'put-and-move' : 'put-in-place';
}

/** Onto a name that is free, and onto one that is taken. */
async function canMove(client: HttpClient, path: string, moved: string, call: StorageCall): Promise<boolean> {
  for (const content of ['to a free name', 'to a taken name']) {
    await put(client, path, content, call);
    const { status } = await client.move(path, moved, call);
    if (status !== 201 && status !== 204) return false;
    const facts = await factsOf(client, moved, call);
    if (facts?.sizeBytes !== content.length) return false;
  }
  return (await factsOf(client, path, call)) === null;
}

async function put(client: HttpClient, path: string, content: string, call: StorageCall): Promise<void> {
  await client.demand('PUT', path, [200, 201, 204], call, { body: content });
}
