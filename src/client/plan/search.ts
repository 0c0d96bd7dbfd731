import type { ImageVersion } from '../../metadata/brands.js';
import type { MetaDiff } from '../../metadata/meta.js';
import { deltaFault, imageFault, type UpdateGraph } from './graph.js';
import { MinHeap } from './min-heap.js';
import { compareTrails, type Edge, extendTrail, type Price, type Trail, trailsWithin, wayInto } from './trail.js';

/** What a search is for. */
export interface SearchGoal {
  readonly price: Price;
  /** Bytes on disk that a path may take. */
  readonly maxDiskBytes: number;
}

/** From where a search goes on: `trail`, but not by the `closed` ways in front of it, see {@link wayInto}. */
export interface SearchStart {
  readonly trail: Trail;
  readonly closed: ReadonlySet<string>;
}

/** How much searching is left to be done, in looks at a delta; one takes some tenths of a microsecond. */
export interface Effort {
  looks: number;
}

/** A trail that is kept takes memory, of which there is to be a bound as well. */
const LOOKS_OF_A_TRAIL = 10;

/**
 * Finds the cheapest path that ends in `start` and takes at most so much disk; null where there is none.
 *
 * Dijkstra's algorithm from the wanted version backwards, over trails rather than versions: of a version all trails are
 * kept that may still win, which is any that is not beaten in price, hops and disk at once. With the disk unlimited these
 * are at most as many as hops are allowed. A trail that comes back to a version that it has passed is always beaten. Where
 * the effort is used up, the result is the cheapest path that was seen.
 */
export function cheapestPath(graph: UpdateGraph, start: SearchStart, goal: SearchGoal, effort: Effort): Trail | null {
  const search = new Search(graph, goal, effort);
  return search.run(start);
}

/** One search: what is still to be looked at, what is known of each version, and the best path so far. */
class Search {
  readonly #graph: UpdateGraph;
  readonly #goal: SearchGoal;
  readonly #effort: Effort;
  readonly #open = new MinHeap<Trail>(isCheaper);
  readonly #known = new Map<ImageVersion | null, Trail[]>();
  readonly #beaten = new Set<Trail>();
  #best: Trail | null = null;

  constructor(graph: UpdateGraph, goal: SearchGoal, effort: Effort) {
    this.#graph = graph;
    this.#goal = goal;
    this.#effort = effort;
  }

  run({ trail, closed }: SearchStart): Trail | null {
    for (const passed of trailsWithin(trail)) this.#known.set(passed.at, [passed]);
    this.#extend(trail, closed);
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      if (!this.#mayWin(next) || this.#effort.looks <= 0) break;
      if (!this.#beaten.delete(next)) this.#extend(next, NOTHING);
    }
    return this.#best;
  }

  #extend(trail: Trail, closed: ReadonlySet<string>): void {
    const image = trail.at === null ? undefined : this.#graph.images.get(trail.at);
    if (image === undefined || trail.hops >= this.#graph.limits.maxHops) return;
    if (imageFault(image, this.#graph) === null) this.#consider(trail, { delta: null, form: image, image }, closed);
    for (const delta of image.diffs) {
      // What the wanted version has is looked at whatever it takes: a direct way is never overlooked.
      if (this.#effort.looks <= 0 && trail.first !== null) return;
      this.#effort.looks -= 1;
      this.#considerForm(trail, { delta, form: delta, image }, closed);
      if (delta.zst !== undefined) this.#considerForm(trail, { delta, form: delta.zst, image }, closed);
    }
  }

  #considerForm(trail: Trail, edge: Edge & { readonly delta: MetaDiff }, closed: ReadonlySet<string>): void {
    if (deltaFault(edge.delta, edge.form, edge.image, this.#graph) === null) this.#consider(trail, edge, closed);
  }

  #consider(rest: Trail, edge: Edge, closed: ReadonlySet<string>): void {
    const trail = extendTrail(rest, edge, this.#graph, this.#goal.price);
    if (trail.diskBytes > this.#goal.maxDiskBytes || !this.#mayWin(trail)) return;
    if (closed.has(wayInto(trail) ?? '')) return;
    if (trail.at === null || this.#graph.present.has(trail.at)) {
      if (this.#best === null || compareTrails(trail, this.#best) < 0) this.#best = trail;
    } else if (trail.hops < this.#graph.limits.maxHops) this.#keep(trail);
  }

  /** Whether it, or a path that ends in it, may still be better than the best: a hop more costs nothing or something. */
  #mayWin({ price, hops }: Trail): boolean {
    const best = this.#best;
    return best === null || price < best.price || (price === best.price && hops <= best.hops);
  }

  #keep(trail: Trail): void {
    const known = this.#known.get(trail.at) ?? [];
    this.#effort.looks -= known.length + LOOKS_OF_A_TRAIL;
    if (known.some((other) => this.#beats(other, trail))) return;
    const kept = known.filter((other) => {
      if (!this.#beats(trail, other)) return true;
      this.#beaten.add(other);
      return false;
    });
    this.#known.set(trail.at, [...kept, trail]);
    this.#open.push(trail);
  }

  #beats(a: Trail, b: Trail): boolean {
    const fits = this.#goal.maxDiskBytes === Number.POSITIVE_INFINITY || a.diskBytes <= b.diskBytes;
    return fits && a.hops <= b.hops && compareTrails(a, b) <= 0;
  }
}

/** Names tell equal trails apart where one beats the other, not in the order in which they are looked at. */
function isCheaper(a: Trail, b: Trail): boolean {
  return a.price < b.price || (a.price === b.price && a.hops < b.hops);
}

const NOTHING: ReadonlySet<string> = new Set();
