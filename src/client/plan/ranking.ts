import type { UpdateGraph } from './graph.js';
import { cheapestPath, type Effort, type SearchStart } from './search.js';
import { compareTrails, type Price, type Trail, trailHead, trailsWithin, wayInto } from './trail.js';

/** What a ranking found. */
export interface Ranking {
  /** Paths that fit, the cheapest first. */
  readonly fitting: readonly Trail[];
  /** The cheapest path of all where it takes more disk than there is. */
  readonly tooLarge: Trail | null;
}

/**
 * Enough to settle every mirror that is not made to keep us busy: a thousand images with deltas from each to each are a
 * million looks a hop.
 */
const LOOKS_OF_THE_CHEAPEST = 10_000_000;
/** For all that only stand beside it. */
const LOOKS_OF_THE_OTHERS = 2_000_000;

/**
 * The `count` cheapest paths, each of which fetches other files than those before it; the other form of a delta is no other
 * file here, or paths would stand beside themselves. Where disk is short a path behind the first may have a form that could
 * have been a cheaper one. By Yen's algorithm, backwards:
 * what is next best leaves one of the paths before it at some version, so it is the cheapest of all that do.
 *
 * Jin Y. Yen, Finding the K Shortest Loopless Paths in a Network, Management Science 17 (1971).
 */
export function rankPaths(graph: UpdateGraph, count: number, price: Price): Ranking {
  const start = { trail: trailHead(graph), closed: new Set<string>() };
  const cheapest = cheapestThatFits(graph, start, price, [
    { looks: LOOKS_OF_THE_CHEAPEST },
    { looks: LOOKS_OF_THE_CHEAPEST },
  ]);
  const { tooLarge } = cheapest;
  if (cheapest.found === null) return { fitting: [], tooLarge };
  const fitting = [cheapest.found];
  const candidates: Trail[] = [];
  const effort = { looks: LOOKS_OF_THE_OTHERS };
  while (fitting.length < count) {
    for (const from of detours(fitting)) {
      const { found } = cheapestThatFits(graph, from, price, [effort, effort]);
      if (found !== null && !candidates.some((other) => compareTrails(other, found) === 0)) candidates.push(found);
    }
    const next = candidates.sort(compareTrails).shift();
    if (next === undefined) break;
    fitting.push(next);
  }
  return { fitting, tooLarge };
}

/** Where the disk is no limit a search is much less work, and most often its path fits. */
function cheapestThatFits(
  graph: UpdateGraph,
  start: SearchStart,
  price: Price,
  [first, second]: readonly [Effort, Effort],
): { readonly found: Trail | null; readonly tooLarge: Trail | null } {
  const maxDiskBytes = graph.device.freeBytes;
  const cheapest = cheapestPath(graph, start, { price, maxDiskBytes: Number.POSITIVE_INFINITY }, first);
  if (cheapest === null || cheapest.diskBytes <= maxDiskBytes) return { found: cheapest, tooLarge: null };
  return { found: cheapestPath(graph, start, { price, maxDiskBytes }, second), tooLarge: cheapest };
}

/** The points at which the last of `paths` can be left, and the ways that the paths already take from there. */
function detours(paths: readonly Trail[]): SearchStart[] {
  const last = paths.at(-1);
  const points = last === undefined ? [] : trailsWithin(last).slice(0, -1);
  return points.map((trail) => ({ trail, closed: new Set(paths.flatMap((path) => nextWay(path, trail))) }));
}

/** The way by which `path` comes to `trail`, where it ends in it. */
function nextWay(path: Trail, trail: Trail): string[] {
  const [shared, next] = trailsWithin(path).slice(trail.hops);
  if (shared === undefined || next === undefined || compareTrails(shared, trail) !== 0) return [];
  return [wayInto(next) ?? ''];
}
