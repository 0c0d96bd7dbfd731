import { UpdateRepositoryError } from '../errors.js';
import { readText } from './read-text.js';
import type { RemoteState } from './remote-state.js';
import { MAX_STATE_BYTES, NOTHING_PUBLISHED, parseRemoteState, STATE_PATH } from './remote-state.js';
import type { Storage, StorageCall, StoredObject } from './storage.js';

/** What is in a storage now. */
export interface Remote {
  /** All of its objects, by path. */
  readonly listed: ReadonlyMap<string, StoredObject>;
  readonly state: RemoteState;
}

/** A copy near at hand of the text of a storage's state, so that it need not be read where the listing shows the same. */
export interface StateCopy {
  /** The text of this very revision; null where that is not known for certain. */
  read(state: Pick<StoredObject, 'revision'>): Promise<string | null>;
  keep(state: Pick<StoredObject, 'revision'>, text: string): Promise<void>;
}

/** One listing, and what publishing remembers there. */
export async function readRemote(storage: Storage, call: StorageCall, copy?: StateCopy): Promise<Remote> {
  const listed = new Map<string, StoredObject>();
  for await (const object of storage.list('', call)) listed.set(object.path, object);
  const object = listed.get(STATE_PATH);
  if (object === undefined) return { listed, state: NOTHING_PUBLISHED };
  const text = await readState(storage, object, call, copy);
  return { listed, state: parseRemoteState(text, `${storage.name}/${STATE_PATH}`) };
}

async function readState(
  storage: Storage,
  object: StoredObject,
  call: StorageCall,
  copy: StateCopy | undefined,
): Promise<string> {
  const kept = await copy?.read(object);
  if (kept !== undefined && kept !== null) return kept;
  const text = await readText(storage, STATE_PATH, MAX_STATE_BYTES, call);
  if (text === null) throw stateIsGone(storage);
  if (copy === undefined) return text;
  // It may have been replaced between the listing and the download.
  const after = await storage.stat(STATE_PATH, call);
  if (after?.revision === object.revision) await copy.keep(object, text);
  return text;
}

/** To take it for nothing published would be to forget what is there. */
function stateIsGone({ name }: Storage): UpdateRepositoryError {
  const path = `${name}/${STATE_PATH}`;
  return new UpdateRepositoryError('STORAGE', `${path}: expected what the listing shows, found nothing`, {
    data: { path },
    hint: 'publish again once nobody else changes what is there',
  });
}
