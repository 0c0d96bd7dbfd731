import type { PathPlanEvent, PlannedHop, PlannedPath } from '../../events.js';
import { fileOf } from '../hop.js';
import type { PathHop } from './path.js';
import type { RankedPath, UpdatePlan } from './plan-update.js';
import type { PlanRequest } from './request.js';

/** A plan as an event tells of it; `dryRun` says that it stays a plan. */
export function pathPlanEvent(
  plan: UpdatePlan,
  { meta, wanted }: PlanRequest,
  { dryRun }: { readonly dryRun: boolean },
): PathPlanEvent {
  return {
    type: 'path-plan',
    dryRun,
    series: meta.series,
    wanted,
    paths: plan.kind === 'paths' ? [plan.chosen, ...plan.others].map(plannedPath) : [],
    leftOut: plan.leftOut.entries,
    moreLeftOut: plan.leftOut.more,
  };
}

function plannedPath({ hops, downloadBytes, workBytes, diskBytes, seconds, reason }: RankedPath): PlannedPath {
  const durationMs = Math.round(seconds * 1000);
  return { hops: hops.map(plannedHop), downloadBytes, workBytes, diskBytes, durationMs, reason };
}

function plannedHop({ hop, downloadBytes }: PathHop): PlannedHop {
  const { filename, size } = fileOf(hop);
  return {
    kind: hop.kind,
    filename,
    from: hop.kind === 'delta' ? hop.base : null,
    to: hop.image.version,
    sizeBytes: size,
    downloadBytes,
  };
}
