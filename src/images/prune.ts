import { stat } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink, PlannedAction, PruneSummaryEvent } from '../events.js';
import { isMetadata } from './old-metadata.js';
import { checkIndexes, type PruneCandidate, pruneCandidates, removeCandidate } from './prune-candidates.js';
import type { MirrorSite, MirrorView } from './site.js';
import { MirrorState } from './state.js';
import { withLock } from './with-lock.js';

export interface PruneOptions {
  readonly mirrorDir: string;
  /** How long a file stays after the last index that named it. */
  readonly graceMs: number;
  readonly breakLock: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/**
 * Removes files that no index names any more, and metadata that no newer one needs, once their grace period is over:
 * downloads that began before may still run. Only files that an index of this mirror named once, that a build of it made,
 * or that are named as metadata is, are ever removed; no root is.
 *
 * @throws UpdateRepositoryError CONFIG when the indexes are missing or incomplete, since then every file would seem
 *   unused; LOCKED while a build runs.
 */
export async function pruneMirror(options: PruneOptions): Promise<PruneSummaryEvent> {
  const { mirrorDir, onEvent, graceMs, signal } = options;
  const view: MirrorView = { mirrorDir, state: new MirrorState(mirrorDir) };
  await checkIsOurs(view);
  if (options.dryRun) return previewPrune(view, graceMs, onEvent);
  const plan = await planPrune(view, graceMs);
  if (!plan.hasWork) return summarizePrune(mirrorDir, plan, false, onEvent);
  return await withLock(mirrorDir, options, (lock, state) => {
    return pruneSite({ mirrorDir, state, lock, onEvent }, graceMs, signal);
  });
}

/** What `prune` would do now. */
export interface PrunePlan {
  readonly due: readonly PruneCandidate[];
  /** Unused files whose grace period is not over. */
  readonly waiting: readonly PruneCandidate[];
  /** Whether there is anything to write: a file to remove, or one to note as unused from now on. */
  readonly hasWork: boolean;
  readonly actions: readonly PlannedAction[];
}

/** Looks what is to be removed; changes nothing, and does not ask whether the indexes can be relied on. */
export async function planPrune(view: MirrorView, graceMs: number): Promise<PrunePlan> {
  const now = Date.now();
  const candidates = await pruneCandidates(view, now);
  const isDue = ({ since }: PruneCandidate): boolean => now - Date.parse(since) >= graceMs;
  const due = candidates.filter(isDue);
  const waiting = candidates.filter((candidate) => !isDue(candidate));
  const noted = await view.state.readDropped();
  const isNoted = waiting.length === noted.size && waiting.every(({ path, since }) => noted.get(path) === since);
  return { due, waiting, hasWork: due.length > 0 || !isNoted, actions: due.map(removal) };
}

/** As {@link pruneMirror}, for the holder of the lock. Where nothing is to be removed or noted, nothing is written. */
export async function pruneSite(site: MirrorSite, graceMs: number, signal: AbortSignal): Promise<PruneSummaryEvent> {
  const plan = await planPrune(site, graceMs);
  await checkRelied(site, plan);
  if (plan.hasWork) await removeDue(site, plan, signal);
  return summarizePrune(site.mirrorDir, plan, false, site.onEvent);
}

async function previewPrune(view: MirrorView, graceMs: number, onEvent: EventSink): Promise<PruneSummaryEvent> {
  const plan = await planPrune(view, graceMs);
  await checkRelied(view, plan);
  onEvent({ type: 'plan', dryRun: true, actions: plan.actions });
  return summarizePrune(view.mirrorDir, plan, true, onEvent);
}

/** Old metadata is known by the newest alone, which was verified; what else is unused is known by the indexes. */
async function checkRelied(view: MirrorView, { due }: PrunePlan): Promise<void> {
  if (due.some(({ path }) => !isMetadata(path))) await checkIndexes(view);
}

function summarizePrune(mirror: string, plan: PrunePlan, dryRun: boolean, onEvent: EventSink): PruneSummaryEvent {
  const summary: PruneSummaryEvent = {
    type: 'prune-summary',
    mirror,
    dryRun,
    removed: plan.due.length,
    removedBytes: totalBytes(plan.due),
    waiting: plan.waiting.length,
    waitingBytes: totalBytes(plan.waiting),
  };
  onEvent(summary);
  return summary;
}

async function removeDue(site: MirrorSite, { due, waiting }: PrunePlan, signal: AbortSignal): Promise<void> {
  const note = (candidates: readonly PruneCandidate[]): Promise<void> =>
    site.state.writeDropped(new Map(candidates.map(({ path, since }) => [path, since])));
  // Noted first: a file whose record is gone already is still known to be ours.
  await note([...due, ...waiting]);
  for (const candidate of due) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    await removeCandidate(site, candidate);
    site.onEvent({ type: 'file-removed', path: candidate.path, sizeBytes: candidate.sizeBytes });
  }
  await note(waiting);
}

async function checkIsOurs(site: MirrorView): Promise<void> {
  try {
    await stat(site.state.directory);
  } catch (error) {
    const ours = fromSystemError(error, 'open the mirror', site.state.directory);
    if (!(ours instanceof UpdateRepositoryError) || ours.code !== 'NOT_FOUND') throw ours;
    throw new UpdateRepositoryError(
      'CONFIG',
      `${site.mirrorDir}: expected a mirror that this program built, found none`,
      {
        data: { path: site.mirrorDir },
        hint: 'a build takes over the mirror of another producer',
      },
    );
  }
}

function removal({ path, since, sizeBytes }: PruneCandidate): PlannedAction {
  return { action: 'remove', path, detail: `unused since ${since}`, sizeBytes };
}

function totalBytes(files: readonly PruneCandidate[]): number {
  return files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
}
