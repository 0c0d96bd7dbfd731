import { stat } from 'node:fs/promises';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { EventSink, PlannedAction, PruneSummaryEvent } from '../events.js';
import { acquireLock } from '../io/lock.js';
import { type PruneCandidate, pruneCandidates, removeCandidate } from './prune-candidates.js';
import type { MirrorSite } from './site.js';
import { MirrorState } from './state.js';

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
 * Removes files that no index names any more, once their grace period is over: downloads that began before may still
 * run. Only files that an index of this mirror named once, or that a build of it made, are ever removed.
 *
 * @throws UpdateRepositoryError CONFIG when the indexes are missing or incomplete, since then every file would seem
 *   unused; LOCKED while a build runs.
 */
export async function pruneMirror(options: PruneOptions): Promise<PruneSummaryEvent> {
  const { mirrorDir, onEvent } = options;
  const site: MirrorSite = { mirrorDir, onEvent, state: new MirrorState(mirrorDir) };
  await checkIsOurs(site);
  if (options.dryRun) return pruneSite(site, options);
  const lock = await acquireLock(site.state.lockPath, options);
  try {
    return await pruneSite(site, options);
  } finally {
    await lock.release();
  }
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

/** Looks what is to be removed; changes nothing. */
export async function planPrune(site: MirrorSite, graceMs: number): Promise<PrunePlan> {
  const now = Date.now();
  const candidates = await pruneCandidates(site, now);
  const isDue = ({ since }: PruneCandidate): boolean => now - Date.parse(since) >= graceMs;
  const due = candidates.filter(isDue);
  const waiting = candidates.filter((candidate) => !isDue(candidate));
  const noted = await site.state.readDropped();
  const isNoted = waiting.length === noted.size && waiting.every(({ path, since }) => noted.get(path) === since);
  return { due, waiting, hasWork: due.length > 0 || !isNoted, actions: due.map(removal) };
}

/** As {@link pruneMirror}, for the holder of the lock. Where nothing is to be removed or noted, nothing is written. */
export async function pruneSite(
  site: MirrorSite,
  options: Pick<PruneOptions, 'graceMs' | 'dryRun' | 'signal'>,
): Promise<PruneSummaryEvent> {
  const { due, waiting, hasWork, actions } = await planPrune(site, options.graceMs);
  if (options.dryRun) site.onEvent({ type: 'plan', dryRun: true, actions });
  else if (hasWork) await removeDue(site, due, waiting, options.signal);
  const summary: PruneSummaryEvent = {
    type: 'prune-summary',
    mirror: site.mirrorDir,
    dryRun: options.dryRun,
    removed: due.length,
    removedBytes: totalBytes(due),
    waiting: waiting.length,
    waitingBytes: totalBytes(waiting),
  };
  site.onEvent(summary);
  return summary;
}

async function removeDue(
  site: MirrorSite,
  due: readonly PruneCandidate[],
  waiting: readonly PruneCandidate[],
  signal: AbortSignal,
): Promise<void> {
  for (const candidate of due) {
    if (signal.aborted) throw new UpdateRepositoryError('INTERRUPTED', 'interrupted');
    await removeCandidate(site, candidate);
    site.onEvent({ type: 'file-removed', path: candidate.path, sizeBytes: candidate.sizeBytes });
  }
  await site.state.writeDropped(new Map(waiting.map(({ path, since }) => [path, since])));
}

async function checkIsOurs(site: MirrorSite): Promise<void> {
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
