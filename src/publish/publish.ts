import type { EventSink, PlannedAction, PublishSummaryEvent } from '../events.js';
import { acquireLease } from './lease.js';
import { isNoop, type PublishPlan, planPublish } from './plan.js';
import { type Release, type ReleaseObject, textObject } from './release.js';
import { readRemote } from './remote.js';
import {
  copyPath,
  GENERATIONS_KEPT,
  type Generation,
  type PublishedFile,
  type RemoteState,
  renderRemoteState,
  STATE_PATH,
} from './remote-state.js';
import type { Storage, StorageCall, StorageLock } from './storage.js';
import { Transfers } from './transfers.js';

export interface PublishOptions {
  /** Where the release is from, for people. */
  readonly mirror: string;
  readonly storage: Storage;
  readonly dryRun: boolean;
  /** How many objects are transferred at once. */
  readonly transfers: number;
  /** Read every object back that was stored, or that is there and was never read, and compare its sha256. */
  readonly verifyFull: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Makes a storage have a release, in an order in which no reader ever finds an index that names what is not there: the
 * immutable objects, their verification, the indexes stage by stage, what was withdrawn, and last what is remembered of
 * it. Nothing that an earlier release names is removed: that is for `prune` to do. Stopped at any point it leaves what readers
 * can use, and the next publish completes it.
 *
 * @throws UpdateRepositoryError NAME_REUSED, LOCKED, VERIFICATION, and what the storage throws
 */
export async function publish(release: Release, options: PublishOptions): Promise<PublishSummaryEvent> {
  const startedAt = performance.now();
  const { storage, signal, onEvent } = options;
  const call: StorageCall = { signal };
  const look = async () => {
    const remote = await readRemote(storage, call);
    return { ...remote, plan: planPublish(release, remote.listed, remote.state, storage.name) };
  };
  const { plan, state } = await look();
  onEvent({ type: 'plan', dryRun: options.dryRun, actions: actionsOf(plan) });
  if (options.dryRun || isNoop(plan)) return summarize(options, plan, state, startedAt);
  const lock = await lockStorage(storage, call, onEvent);
  try {
    // Another publisher may have ended its work meanwhile.
    const locked = await look();
    const next = isNoop(locked.plan) ? locked.state : await store(release, locked, lock, options, call);
    return summarize(options, locked.plan, next, startedAt);
  } finally {
    await lock.release();
  }
}

async function lockStorage(storage: Storage, call: StorageCall, onEvent: EventSink): Promise<StorageLock> {
  if (storage.lock !== undefined) return await storage.lock(call);
  if (storage.abilities.conditionalPut) return await acquireLease(storage, call);
  onEvent({
    type: 'note',
    level: 'warning',
    subject: storage.name,
    message: 'it has no conditional writes, so nothing keeps a second publisher out: let only one run',
  });
  return { assertHeld: async () => undefined, release: async () => undefined };
}

interface Found {
  readonly plan: PublishPlan;
  readonly state: RemoteState;
}

async function store(
  release: Release,
  { plan, state }: Found,
  lock: StorageLock,
  options: PublishOptions,
  call: StorageCall,
): Promise<RemoteState> {
  const transfers = new Transfers(options);
  const stored = await transfers.putAll(plan.uploads);
  const immutables = [...plan.kept, ...(await transfers.checkAll(plan.checks, stored))];
  const indexes = plan.indexStages.flat();
  await transfers.putIndexes(indexes.map(copyOf));
  await lock.assertHeld();
  const written: PublishedFile[] = [...plan.keptIndexes];
  for (const stage of plan.indexStages) {
    written.push(...(await transfers.putIndexes(stage)));
    for (const { path, sizeBytes } of stage) options.onEvent({ type: 'index-written', path, sizeBytes });
  }
  await options.storage.remove(plan.withdrawn, call);
  await lock.assertHeld();
  const next = nextState(state, {
    number: (state.generations[0]?.number ?? 0) + 1,
    publishedAt: new Date().toISOString(),
    immutables,
    indexes: inOrder(release.indexStages.flat(), written),
  });
  await transfers.putIndexes([textObject(STATE_PATH, renderRemoteState(next), 'application/json')]);
  await options.storage.tidy?.(call);
  return next;
}

/** For going back: the bytes of an index under their sha256. */
function copyOf(index: ReleaseObject): ReleaseObject {
  return { ...index, path: copyPath(index.sha256) };
}

function inOrder(objects: readonly ReleaseObject[], files: readonly PublishedFile[]): PublishedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return objects.flatMap(({ path }) => byPath.get(path) ?? []);
}

/** What is named no more keeps the time since when; what is named again loses it. */
export function nextState(state: RemoteState, generation: Generation): RemoteState {
  const generations = [generation, ...state.generations].slice(0, GENERATIONS_KEPT);
  const named = new Set(generations.flatMap(({ immutables }) => immutables.map(({ path }) => path)));
  const before = state.generations.flatMap(({ immutables }) => immutables.map(({ path }) => path));
  const dropped = new Map([...before.map((path) => [path, generation.publishedAt] as const), ...state.dropped]);
  for (const path of named) dropped.delete(path);
  return { generations, dropped };
}

function actionsOf({ uploads, checks, indexStages, withdrawn }: PublishPlan): PlannedAction[] {
  const action = (kind: PlannedAction['action'], detail: string) => (object: ReleaseObject) => ({
    action: kind,
    path: object.path,
    detail,
    sizeBytes: object.sizeBytes,
  });
  return [
    ...uploads.map(action('upload', 'missing')),
    ...checks.map(action('check-object', 'there, not published by this program')),
    ...indexStages.flat().map(action('write-index', 'changed')),
    ...withdrawn.map((path) => ({ action: 'remove' as const, path, detail: 'no index any more', sizeBytes: null })),
  ];
}

function summarize(
  { mirror, storage, dryRun, onEvent }: PublishOptions,
  plan: PublishPlan,
  state: RemoteState,
  startedAt: number,
): PublishSummaryEvent {
  const stored = [...plan.uploads, ...plan.indexStages.flat()];
  const summary: PublishSummaryEvent = {
    type: 'publish-summary',
    mirror,
    target: storage.name,
    dryRun,
    changed: !isNoop(plan),
    generation: state.generations[0]?.number ?? null,
    uploaded: stored.length,
    uploadedBytes: stored.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    kept: plan.kept.length + plan.checks.length + plan.keptIndexes.length,
    foreign: plan.foreign,
    durationMs: Math.round(performance.now() - startedAt),
  };
  onEvent(summary);
  return summary;
}
