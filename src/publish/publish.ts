import type { EventSink, PlannedAction, PublishSummaryEvent } from '../events.js';
import type { RateLimit } from '../net/rate-limit.js';
import { lockStorage } from './lock-storage.js';
import { hasLastStage, isNoop, type PublishPlan, planPublish, requireOurs } from './plan.js';
import { readText } from './read-text.js';
import { type Release, type ReleaseObject, textObject } from './release.js';
import { type Remote, readRemote, type StateCopy } from './remote.js';
import {
  begunState,
  copyPath,
  nextState,
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
  /** What all transfers together may move. */
  readonly limit: RateLimit | null;
  /** Saves the download of what is remembered there when there is nothing to do; nothing is stored on its word. */
  readonly copy?: StateCopy;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Makes a storage have a release, in an order in which no reader ever finds an index that names what is not there: the
 * immutable objects, their verification, the indexes stage by stage, the late immutables, or before the last of these stages
 * where readers need them for it, what was withdrawn, and last what is remembered of it. Nothing that an earlier release
 * names is removed: that is for {@link pruneStorage}. Stopped at any point it leaves what readers can use, and the next
 * publish completes it.
 *
 * @throws UpdateRepositoryError NAME_REUSED, LOCKED, VERIFICATION, what the release says of what is there, and what the
 * storage throws
 */
export async function publish(release: Release, options: PublishOptions): Promise<PublishSummaryEvent> {
  return await publishWhat(async () => release, options);
}

/**
 * As {@link publish}, of what the state of the storage decides. It is asked again once nobody else may write.
 *
 * @param choose the release, of what is there
 */
export async function publishWhat(
  choose: (remote: Remote, call: StorageCall) => Promise<Release>,
  options: PublishOptions,
): Promise<PublishSummaryEvent> {
  const startedAt = performance.now();
  const { storage, signal, onEvent } = options;
  const call: StorageCall = { signal };
  const look = async (copy?: StateCopy) => {
    const remote = await readRemote(storage, call, copy);
    const release = await choose(remote, call);
    await requireNewer(release, remote, storage, call);
    return { release, ...remote, plan: planPublish(release, remote.listed, remote.state, storage.name) };
  };
  const { plan, state } = await look(options.dryRun ? readingOnly(options.copy) : options.copy);
  onEvent({ type: 'plan', dryRun: options.dryRun, actions: actionsOf(plan) });
  if (options.dryRun || isNoop(plan)) return summarize(options, plan, state, startedAt);
  await storage.prepare?.(call);
  const lock = await lockStorage(storage, call, onEvent);
  try {
    // Another publisher may have ended its work meanwhile.
    const locked = await look();
    const stored = isNoop(locked.plan) ? locked : await store(locked, lock, options, call);
    return summarize(options, stored.plan, stored.state, startedAt);
  } finally {
    await lock.release();
  }
}

/** Readers who have seen what is there are not to be led back. */
async function requireNewer(
  release: Release,
  { listed, state }: Remote,
  storage: Storage,
  call: StorageCall,
): Promise<void> {
  if (release.requireNewer === undefined || hasLastStage(release, listed, state)) return;
  await release.requireNewer({
    name: storage.name,
    has: (path) => listed.has(path),
    readText: (path, maxBytes) => readText(storage, path, maxBytes, call),
  });
}

interface Found extends Remote {
  readonly release: Release;
  readonly plan: PublishPlan;
}

/** Resolves to the state afterwards, and to the plan as it came out: what was found wrong was stored again. */
async function store(
  { release, plan, state, listed }: Found,
  lock: StorageLock,
  options: PublishOptions,
  call: StorageCall,
): Promise<Pick<Found, 'plan' | 'state'>> {
  const transfers = new Transfers(options);
  const remember = async (now: RemoteState) => {
    const text = renderRemoteState(now);
    const [stored] = await transfers.putIndexes([textObject(STATE_PATH, text, 'application/json')]);
    if (stored !== undefined) await options.copy?.keep(stored, text);
  };
  const publishedAt = new Date().toISOString();
  const { right, wrong } = await transfers.checkAll(plan.checks);
  for (const object of wrong) requireOurs(object, 'other bytes', state, options.storage.name);
  // Should this end before its time, the objects that it stored are known as ours, and as what indexes may name.
  const begun = begunState(state, release);
  await remember(begun);
  const uploads = [...plan.uploads, ...wrong];
  const late = new Set(release.lateImmutables?.map(({ path }) => path));
  const isLate = ({ path }: { readonly path: string }) => late.has(path);
  const immutables = [...plan.kept, ...right, ...(await transfers.putAll(uploads.filter((one) => !isLate(one))))];
  await transfers.putIndexes(plan.indexStages.flat().map(copyOf));
  const written: PublishedFile[] = [...plan.keptIndexes];
  const putStage = async (stage: readonly ReleaseObject[]) => {
    await lock.assertHeld();
    written.push(...(await transfers.putIndexes(stage)));
    for (const { path, sizeBytes } of stage) options.onEvent({ type: 'index-written', path, sizeBytes });
  };
  const putLate = async () => {
    await lock.assertHeld();
    immutables.push(...(await transfers.putAll(uploads.filter(isLate))));
  };
  for (const stage of plan.indexStages.slice(0, -1)) await putStage(stage);
  const isNeeded = lacksNeeded(release, uploads);
  if (isNeeded) await putLate();
  for (const stage of plan.indexStages.slice(-1)) await putStage(stage);
  if (!isNeeded) await putLate();
  await lock.assertHeld();
  await options.storage.remove(plan.withdrawn, call);
  for (const path of plan.withdrawn) {
    const sizeBytes = listed.get(path)?.sizeBytes;
    if (sizeBytes !== undefined) options.onEvent({ type: 'file-removed', path, sizeBytes });
  }
  await lock.assertHeld();
  const indexes = inOrder(release.indexStages.flat(), written);
  const stored = immutables.map((file) => (isLate(file) ? { ...file, lasting: true as const } : file));
  const next = nextState(begun, { publishedAt, immutables: stored, indexes });
  await remember(next);
  await options.storage.tidy?.(call);
  return { plan: { ...plan, uploads, checks: plan.checks.filter((object) => !wrong.includes(object)) }, state: next };
}

/** Whether late immutables are to be stored without which readers can make no use of the last indexes. */
function lacksNeeded({ lateImmutables = [], lateNeeded }: Release, uploads: readonly ReleaseObject[]): boolean {
  const needed = new Set(lateImmutables.slice(0, lateNeeded).map(({ path }) => path));
  return uploads.some(({ path }) => needed.has(path));
}

/** For who may not write anywhere. */
function readingOnly(copy: StateCopy | undefined): StateCopy | undefined {
  return copy && { read: (state) => copy.read(state), keep: async () => undefined };
}

/** For going back: the bytes of an index under their sha256. */
function copyOf(index: ReleaseObject): ReleaseObject {
  return { ...index, path: copyPath(index.sha256) };
}

function inOrder(objects: readonly ReleaseObject[], files: readonly PublishedFile[]): PublishedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return objects.flatMap(({ path }) => byPath.get(path) ?? []);
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
    ...checks.map(action('check-object', 'there, not known to be right')),
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
