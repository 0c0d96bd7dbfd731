import { UpdateRepositoryError } from '../errors.js';
import type { EventSink, PruneSummaryEvent } from '../events.js';
import { lockStorage } from './lock-storage.js';
import { textObject } from './release.js';
import { readRemote } from './remote.js';
import {
  COPIES_PREFIX,
  copyPath,
  namedPaths,
  type RemoteState,
  renderRemoteState,
  STATE_PATH,
} from './remote-state.js';
import type { Storage, StorageCall, StoredObject } from './storage.js';
import { Transfers } from './transfers.js';

export interface PruneStorageOptions {
  readonly storage: Storage;
  /** How long an object stays after the last generation that named it. */
  readonly graceMs: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** What a prune would do now. */
interface PrunePlan {
  readonly due: readonly StoredObject[];
  readonly waiting: readonly StoredObject[];
  readonly state: RemoteState;
}

/**
 * Removes from a storage what a publish stored and none of the generations that are remembered names, once the grace
 * period is over: downloads that began before may still run.
 *
 * @throws UpdateRepositoryError CONFIG where nothing was published; LOCKED; what the storage throws
 */
export async function pruneStorage(options: PruneStorageOptions): Promise<PruneSummaryEvent> {
  const { storage, signal, onEvent, dryRun } = options;
  const call: StorageCall = { signal };
  const seen = await planPrune(options, call);
  if (dryRun) {
    const actions = seen.due.map(({ path, sizeBytes }) => {
      return { action: 'remove', path, detail: `unused since ${seen.state.dropped.get(path)}`, sizeBytes } as const;
    });
    onEvent({ type: 'plan', dryRun, actions });
  }
  if (dryRun || seen.due.length === 0) return summarize(options, seen);
  await storage.prepare?.(call);
  const lock = await lockStorage(storage, call, onEvent);
  try {
    const plan = await planPrune(options, call);
    await lock.assertHeld();
    const paths = plan.due.map(({ path }) => path);
    await storage.remove(paths, call);
    for (const { path, sizeBytes } of plan.due) onEvent({ type: 'file-removed', path, sizeBytes });
    const removed = new Set(paths);
    const dropped = new Map([...plan.state.dropped].filter(([path]) => !removed.has(path)));
    const text = renderRemoteState({ ...plan.state, dropped });
    const transfers = new Transfers({ ...options, transfers: 1, verifyFull: false, limit: null });
    await transfers.putIndexes([textObject(STATE_PATH, text, 'application/json')]);
    return summarize(options, plan);
  } finally {
    await lock.release();
  }
}

async function planPrune({ storage, graceMs }: PruneStorageOptions, call: StorageCall): Promise<PrunePlan> {
  const { listed, state } = await readRemote(storage, call);
  if (state.generations.length === 0) {
    throw new UpdateRepositoryError('CONFIG', `${storage.name}: expected a mirror that was published, found none`, {
      data: { storage: storage.name },
    });
  }
  const now = Date.now();
  const named = namedPaths(state);
  const dropped = [...listed.values()].filter(({ path }) => state.dropped.has(path) && !named.has(path));
  const isDue = ({ path }: StoredObject) => now - Date.parse(state.dropped.get(path) ?? '') >= graceMs;
  const copies = new Set(state.generations.flatMap(({ indexes }) => indexes.map(({ sha256 }) => copyPath(sha256))));
  const oldCopies = [...listed.values()].filter(({ path }) => path.startsWith(COPIES_PREFIX) && !copies.has(path));
  return {
    due: [...dropped.filter(isDue), ...oldCopies],
    waiting: dropped.filter((object) => !isDue(object)),
    state,
  };
}

function summarize({ storage, dryRun, onEvent }: PruneStorageOptions, { due, waiting }: PrunePlan): PruneSummaryEvent {
  const bytesOf = (objects: readonly StoredObject[]) => objects.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const summary: PruneSummaryEvent = {
    type: 'prune-summary',
    mirror: storage.name,
    dryRun,
    removed: due.length,
    removedBytes: bytesOf(due),
    waiting: waiting.length,
    waitingBytes: bytesOf(waiting),
  };
  onEvent(summary);
  return summary;
}
