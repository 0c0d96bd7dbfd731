import type { Crew, TaskFailure } from '../workers/crew.js';
import { decideCompressed } from './decide.js';
import type { DeltaPhase } from './delta-phase.js';
import { type CompressedWork, checkCompressedTask, compressTask, zstPath } from './make-compressed.js';
import type { CompressedOutcome, PublishedOutcome } from './records.js';
import type { MirrorSite } from './site.js';
import { withdraw } from './withdraw.js';

export interface CompressPhase {
  /** The compressed deltas that are in place, by the delta's file name. */
  readonly compressed: ReadonlyMap<string, PublishedOutcome>;
  readonly failures: readonly TaskFailure[];
  /** How many new ones there are. */
  readonly made: number;
}

/** What a build that compresses nothing has of it. */
export const NOTHING_COMPRESSED: CompressPhase = { compressed: new Map(), failures: [], made: 0 };

/**
 * Compresses every delta that is published and of which it is not known yet whether that pays, and proves the compressed
 * ones of which nothing is known.
 */
export async function compressDeltas(
  site: MirrorSite,
  crew: Crew,
  { works, outcomes }: DeltaPhase,
  { keepGoing }: { readonly keepGoing: boolean },
): Promise<CompressPhase> {
  const compressed = new Map<string, PublishedOutcome>();
  const toCheck: CompressedWork[] = [];
  const toMake: CompressedWork[] = [];
  const take = (work: CompressedWork) => (outcome: CompressedOutcome) => {
    if (outcome.kind === 'published') compressed.set(work.delta.status.fileName, outcome);
  };
  for (const delta of works) {
    const outcome = outcomes.get(delta.status.fileName);
    if (outcome?.kind !== 'published') continue;
    const work: CompressedWork = { delta, outcome };
    const known = delta.status.record?.compressed?.outcome;
    const decision = decideCompressed(delta.status, outcome.digests.sha256);
    if (decision === 'check') toCheck.push(work);
    else if (decision === 'make') toMake.push(work);
    else if (decision === 'nothing' && known !== undefined) take(work)(known);
  }
  const checks = toCheck.map((work) => checkCompressedTask(site, work, take(work), () => toMake.push(work)));
  const failures = await crew.run(checks, keepGoing);
  // As with deltas: what is made again may get other bytes than an index has of it.
  await withdraw(site, new Set(toMake.map(zstPath)));
  const tasks = toMake.map((work) => compressTask(site, work, take(work)));
  failures.push(...(await crew.run(tasks, keepGoing)));
  const made = toMake.filter(({ delta }) => compressed.has(delta.status.fileName)).length;
  return { compressed, failures, made };
}
