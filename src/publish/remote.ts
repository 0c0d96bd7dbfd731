import { readText } from './read-text.js';
import type { RemoteState } from './remote-state.js';
import { NOTHING_PUBLISHED, parseRemoteState, STATE_PATH } from './remote-state.js';
import type { Storage, StorageCall, StoredObject } from './storage.js';

/** What is in a storage now. */
export interface Remote {
  /** All of its objects, by path. */
  readonly listed: ReadonlyMap<string, StoredObject>;
  readonly state: RemoteState;
}

/** Far above the state of the largest mirror. */
const MAX_STATE_BYTES = 256 << 20;

/** One listing, and what publishing remembers there. */
export async function readRemote(storage: Storage, call: StorageCall): Promise<Remote> {
  const listed = new Map<string, StoredObject>();
  for await (const object of storage.list('', call)) listed.set(object.path, object);
  const text = listed.has(STATE_PATH) ? await readText(storage, STATE_PATH, MAX_STATE_BYTES, call) : null;
  const state = text === null ? null : parseRemoteState(text, `${storage.name}/${STATE_PATH}`);
  return { listed, state: state ?? NOTHING_PUBLISHED };
}
