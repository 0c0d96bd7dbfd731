import type { EventSink, PlannedLine } from '../events.js';
import { freeBytes } from './device/free-bytes.js';
import { readLineRate } from './device/line-rate.js';
import type { PatchRecord } from './device/partial-record.js';
import { partials, partialsOf } from './device/partials.js';
import { surveyImages } from './device/survey.js';
import type { Goal } from './goal.js';
import type { LocalImage } from './local-image.js';
import { pathPlanEvent } from './plan/path-plan-event.js';
import { planUpdate, type UpdatePlan } from './plan/plan-update.js';
import type { Checkpoint, PlanRequest, Rates } from './plan/request.js';
import type { UpdateTarget } from './policy/choose-target.js';
import type { Policy } from './policy/policy.js';
import { findRoom, type Room, tellRoom } from './room.js';
import type { Session } from './session.js';

/** A way to the target, with what it was found from. */
export interface Route {
  readonly plan: UpdatePlan;
  readonly request: PlanRequest;
  readonly present: readonly LocalImage[];
  readonly line: PlannedLine;
  /** What has to go first; null where the update fits without. */
  readonly room: Room | null;
}

/** What keeps a route from files. */
export interface RouteLimits {
  readonly wholeImages: boolean;
  /** Names of files that failed in this run. */
  readonly failed: ReadonlySet<string>;
  /** Whether deltas are kept; left out, they are not. */
  readonly keepsDeltas?: boolean;
}

/** A delta that is so large a part of its target is not worth it. */
export const MAX_DELTA_SHARE = 0.8;
/** What a line and a disk are taken for that nobody has said anything of. */
export const ASSUMED: Rates = { downloadBytesPerSecond: 4e6, diskBytesPerSecond: 200e6, hopSeconds: 1 };

/**
 * Looks at what is on the device, reading what has changed there, and plans: with the room that can be made where nothing
 * fits without.
 */
export async function findRoute(
  { device, policy }: Pick<Session, 'device' | 'policy'>,
  { meta }: Pick<Goal, 'meta'>,
  target: UpdateTarget,
  { wholeImages, failed, keepsDeltas = false }: RouteLimits,
): Promise<Route> {
  const present = await surveyImages(device, meta);
  const useful = partialsOf(await partials(device), meta);
  const line = lineOf(policy, await readLineRate(device));
  const patch = useful.patches.get(target.image.filename);
  const request: PlanRequest = {
    meta,
    wanted: target.image.version,
    device: {
      present,
      partial: useful.bytes,
      checkpoint: patch === undefined ? null : checkpointOf(patch, target, [...present, ...meta.images]),
      freeBytes: await freeBytes(device),
    },
    rates: {
      downloadBytesPerSecond: line.bytesPerSecond,
      diskBytesPerSecond: policy.diskBytesPerSecond ?? ASSUMED.diskBytesPerSecond,
      hopSeconds: ASSUMED.hopSeconds,
    },
    limits: { maxHops: policy.maxHops, maxDeltaShare: MAX_DELTA_SHARE, wholeImages, failed, keepsDeltas },
  };
  const plan = planUpdate(request);
  if (plan.kind === 'paths') return { plan, request, present, line, room: null };
  const found = await findRoom(device, policy, request, plan.why);
  if (found.plan === null) return { plan: { ...plan, why: found.why }, request, present, line, room: null };
  return { plan: found.plan, request: found.request, present: found.request.device.present, line, room: found };
}

/** Tells of a route, and of what goes for it. */
export function tellRoute({ plan, request, line, room }: Route, onEvent: EventSink, dryRun: boolean): void {
  onEvent({ ...pathPlanEvent(plan, request, { dryRun }), line });
  tellRoom(room, onEvent, dryRun);
}

/** None is faster than the policy allows. */
function lineOf(policy: Policy, measured: number | null): PlannedLine {
  const line = unlimitedLine(policy, measured);
  const { limitBytesPerSecond } = policy;
  if (limitBytesPerSecond === null || line.bytesPerSecond <= limitBytesPerSecond) return line;
  return { bytesPerSecond: limitBytesPerSecond, source: 'given' };
}

/** What the policy says counts, else what downloads have achieved. */
function unlimitedLine({ downloadBytesPerSecond }: Policy, measured: number | null): PlannedLine {
  if (downloadBytesPerSecond !== null) return { bytesPerSecond: downloadBytesPerSecond, source: 'given' };
  if (measured !== null) return { bytesPerSecond: measured, source: 'measured' };
  return { bytesPerSecond: ASSUMED.downloadBytesPerSecond, source: 'assumed' };
}

/** Null where the delta or the base that it was being made from are not known any more. */
function checkpointOf(
  { checkpoint, baseSha256, deltaSha256 }: PatchRecord,
  { image }: UpdateTarget,
  known: readonly Pick<LocalImage, 'version' | 'sha256'>[],
): Checkpoint | null {
  const delta = image.diffs.find(({ sha256 }) => sha256 === deltaSha256);
  const base = known.find(({ version, sha256 }) => version === delta?.version && sha256 === baseSha256);
  if (delta === undefined || base === undefined) return null;
  const { deltaBytes, targetBytes } = checkpoint;
  return { target: image.version, base: base.version, deltaFilename: delta.filename, deltaBytes, targetBytes };
}
