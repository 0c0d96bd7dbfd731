import type { PathReason } from '../../events.js';
import { buildGraph, hasMirrorsBytes, imageFault, type UpdateGraph } from './graph.js';
import { type LeftOutList, listLeftOut } from './left-out.js';
import { type NoPath, noPath, notInMirror } from './no-path.js';
import { comparePaths, isSamePath, secondsOf, type UpdatePath } from './path.js';
import { reasonBeside } from './path-reason.js';
import { rankPaths } from './ranking.js';
import type { PlanRequest, Rates } from './request.js';
import { extendTrail, pathOf, type Trail, trailHead } from './trail.js';

/** How a device gets to the wanted version, or why it cannot. */
export type UpdatePlan =
  | {
      readonly kind: 'paths';
      /** Without hops where the wanted version is on the device. */
      readonly chosen: RankedPath;
      /** The next best, cheapest first; the whole image is among them where it is allowed and fits. */
      readonly others: readonly RankedPath[];
      readonly leftOut: LeftOutList;
    }
  | { readonly kind: 'no-path'; readonly why: NoPath; readonly leftOut: LeftOutList };

export interface RankedPath extends UpdatePath {
  readonly reason: PathReason;
}

const SHOWN_PATHS = 3;
const NOTHING_LEFT_OUT: LeftOutList = { entries: [], more: 0 };

/**
 * Finds the cheapest path to the wanted version that fits the free disk, and the two next best. Pure, and determined by
 * the request. Takes at most some seconds and 100 MiB beside the meta file, whatever that says: the search gives up after
 * some million deltas, and then a path may be overlooked that is cheaper than the one that was found.
 */
export function planUpdate(request: PlanRequest): UpdatePlan {
  const { meta, wanted, device } = request;
  const image = meta.images.find(({ version }) => version === wanted);
  const there = device.present.find(({ version }) => version === wanted);
  if (there !== undefined && hasMirrorsBytes(there, image)) return alreadyThere();
  if (image === undefined) return { kind: 'no-path', why: notInMirror(meta, wanted), leftOut: NOTHING_LEFT_OUT };
  return planFor(buildGraph(request, image), request.rates);
}

function alreadyThere(): UpdatePlan {
  const chosen: RankedPath = {
    hops: [],
    downloadBytes: 0,
    workBytes: 0,
    diskBytes: 0,
    seconds: 0,
    reason: { kind: 'present' },
  };
  return { kind: 'paths', chosen, others: [], leftOut: NOTHING_LEFT_OUT };
}

function planFor(graph: UpdateGraph, rates: Rates): UpdatePlan {
  const { freeBytes } = graph.device;
  const toPath = (trail: Trail) => pathOf(trail, graph, rates);
  const ranking = rankPaths(graph, SHOWN_PATHS, (costs, hops) => secondsOf(costs, hops, rates));
  const whole = wholeImagePath(graph, rates);
  const tooLarge = distinct([
    ...(ranking.tooLarge === null ? [] : [toPath(ranking.tooLarge)]),
    ...(whole !== null && whole.diskBytes > freeBytes ? [whole] : []),
  ]);
  const leftOut = listLeftOut(graph, tooLarge);
  const [chosen, ...others] = withWhole(ranking.fitting.map(toPath), whole, freeBytes);
  if (chosen === undefined) return { kind: 'no-path', why: noPath(graph, smallestPath(graph, rates)), leftOut };
  return {
    kind: 'paths',
    chosen: { ...chosen, reason: { kind: 'cheapest' } },
    others: others.map((path) => ({ ...path, reason: reasonBeside(path, chosen) })),
    leftOut,
  };
}

/** The path that people compare all others with. */
function wholeImagePath(graph: UpdateGraph, rates: Rates): UpdatePath | null {
  const { wanted } = graph;
  if (imageFault(wanted, graph) !== null) return null;
  return pathOf(
    extendTrail(trailHead(graph), { delta: null, form: wanted, image: wanted }, graph, () => 0),
    graph,
    rates,
  );
}

/** The last of the shown paths gives way to the whole image where that is not shown. */
function withWhole(paths: readonly UpdatePath[], whole: UpdatePath | null, freeBytes: number): readonly UpdatePath[] {
  if (whole === null || whole.diskBytes > freeBytes || paths.some((path) => isSamePath(path, whole))) return paths;
  return [...paths.slice(0, SHOWN_PATHS - 1), whole].sort(comparePaths);
}

/** The path that takes least disk, whether it fits or not. */
function smallestPath(graph: UpdateGraph, rates: Rates): UpdatePath | null {
  const roomy = { ...graph, device: { ...graph.device, freeBytes: Number.POSITIVE_INFINITY } };
  const [smallest] = rankPaths(roomy, 1, ({ diskBytes }) => diskBytes).fitting;
  return smallest === undefined ? null : pathOf(smallest, graph, rates);
}

function distinct(paths: readonly UpdatePath[]): UpdatePath[] {
  return paths.filter((path, index) => !paths.slice(0, index).some((other) => isSamePath(path, other)));
}
