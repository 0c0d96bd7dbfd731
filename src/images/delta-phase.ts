import type { DeltaEffort, EngineChoice } from '../delta/generate.js';
import { rdiffPath } from '../metadata/mirror-paths.js';
import type { Crew, Resources, TaskFailure } from '../workers/crew.js';
import { type DeltaEnds, decideDelta, deltaLimitBytes } from './decide.js';
import { effortFor, groupByBase } from './delta-groups.js';
import { checkTask, type DeltaEnd, type DeltaWork, makeTask } from './make-deltas.js';
import { decidedOutcome } from './plan.js';
import type { DeltaOutcome, DeltaRecord, ImageRecord } from './records.js';
import { type MirrorSite, sitePath } from './site.js';
import type { DeltaStatus, ImageStatus } from './survey.js';
import { withdraw } from './withdraw.js';

export interface DeltaPhaseOptions {
  readonly maxDeltaRatio: number;
  readonly keepGoing: boolean;
  /** How hard the search for matches works; left out, what suits the images. */
  readonly deltaEffort?: DeltaEffort | undefined;
  readonly engine?: EngineChoice | undefined;
  readonly resources: Resources;
}

export interface DeltaPhase {
  /** All wanted deltas whose images are known. */
  readonly works: readonly DeltaWork[];
  /** The verdict on every delta whose images are known, by file name. */
  readonly outcomes: ReadonlyMap<string, DeltaOutcome>;
  readonly failures: readonly TaskFailure[];
  /** How many new ones there are. */
  readonly made: number;
}

/** Makes every delta that is wanted and not there, and proves those of which nothing is known. */
export async function makeDeltas(
  site: MirrorSite,
  crew: Crew,
  images: ReadonlyMap<string, ImageStatus>,
  known: ReadonlyMap<string, ImageRecord>,
  deltas: ReadonlyMap<string, DeltaStatus>,
  options: DeltaPhaseOptions,
): Promise<DeltaPhase> {
  const outcomes = new Map<string, DeltaOutcome>();
  const works: DeltaWork[] = [];
  const toCheck: DeltaWork[] = [];
  const toMake: DeltaWork[] = [];
  for (const status of deltas.values()) {
    const work = deltaWork(site, status, images, known, options);
    if (work === null) continue;
    works.push(work);
    const decision = decideDelta(status, endsOf(work));
    if (decision === 'check') toCheck.push(work);
    else if (decision === 'make') toMake.push(work);
    const outcome = decidedOutcome(status, decision);
    if (outcome !== null) outcomes.set(status.fileName, outcome);
  }
  const record = (work: DeltaWork) => (made: { outcome: DeltaOutcome }) => {
    outcomes.set(work.status.fileName, withinLimit(made.outcome, work.limitBytes));
  };
  const checks = toCheck.map((work) => checkTask(site, work, record(work), () => toMake.push(work)));
  const failures = await crew.run(checks, options.keepGoing);
  // A delta that is made again may get other bytes than an index has of it: nobody may be sent to it meanwhile.
  await withdraw(site, new Set(toMake.map(({ status }) => rdiffPath(status.fileName))));
  failures.push(...(await makeAll(site, crew, toMake, record, options)));
  const made = toMake.filter(({ status }) => outcomes.get(status.fileName)?.kind === 'published').length;
  return { works, outcomes, failures, made };
}

async function makeAll(
  site: MirrorSite,
  crew: Crew,
  works: readonly DeltaWork[],
  record: (work: DeltaWork) => (made: DeltaRecord) => void,
  { engine = 'auto', resources, keepGoing }: DeltaPhaseOptions,
): Promise<TaskFailure[]> {
  const onFallback = onceOnly((reason) => {
    const message = `deltas are made by the slower engine in TypeScript: ${reason}`;
    site.onEvent({ type: 'note', level: 'warning', message });
  });
  const grouped = groupByBase(works, { engine, resources, onFallback });
  try {
    const tasks = grouped.map((member) => makeTask(site, member, record(member.work)));
    return await crew.run(tasks, keepGoing);
  } finally {
    for (const { base } of grouped) base[Symbol.dispose]();
  }
}

function onceOnly(act: (reason: string) => void): (reason: string) => void {
  let done = false;
  return (reason) => {
    if (!done) act(reason);
    done = true;
  };
}

function deltaWork(
  site: MirrorSite,
  status: DeltaStatus,
  images: ReadonlyMap<string, ImageStatus>,
  known: ReadonlyMap<string, ImageRecord>,
  options: DeltaPhaseOptions,
): DeltaWork | null {
  const base = deltaEnd(site, images.get(status.base.fileName), known);
  const target = deltaEnd(site, images.get(status.target.fileName), known);
  if (base === null || target === null) return null;
  const limitBytes = deltaLimitBytes(target.identity.sizeBytes, options.maxDeltaRatio);
  const effort = options.deltaEffort ?? effortFor(base.kind, target.kind);
  return { status, base, target, effort, limitBytes };
}

/** Deltas are made from what is served; a base that is not published is read where it lies. */
function deltaEnd(
  site: MirrorSite,
  image: ImageStatus | undefined,
  known: ReadonlyMap<string, ImageRecord>,
): DeltaEnd | null {
  const record = image === undefined ? undefined : known.get(image.name.fileName);
  if (image === undefined || record === undefined) return null;
  const { digests, kind } = record;
  const { sha256 } = digests;
  if (image.publish && record.published !== null) {
    return { path: sitePath(site, image.name.fileName), identity: record.published, sha256, kind };
  }
  return image.file === null ? null : { path: image.file.path, identity: record.source, sha256, kind };
}

function endsOf({ base, target, limitBytes }: DeltaWork): DeltaEnds {
  return { baseSha256: base.sha256, targetSha256: target.sha256, limitBytes };
}

/** A delta that was there already may be larger than what this build publishes. */
function withinLimit(outcome: DeltaOutcome, limitBytes: number): DeltaOutcome {
  const isTooLarge = outcome.kind === 'published' && outcome.published.sizeBytes > limitBytes;
  return isTooLarge ? { kind: 'too-large', limitBytes } : outcome;
}
