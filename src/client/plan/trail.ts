import type { ImageVersion } from '../../metadata/brands.js';
import type { MetaDiff, MetaImage } from '../../metadata/meta.js';
import { deltaCosts, imageCosts, type UpdateGraph } from './graph.js';
import { type ByteCosts, type PathHop, secondsOf, type UpdatePath } from './path.js';
import type { Rates } from './request.js';

/**
 * The end of a path: the hops from the version `at` to the wanted one, as a search that starts there finds them. It is a
 * whole path where `at` is on the device, or null, where it begins with a whole image.
 */
export interface Trail extends ByteCosts {
  readonly at: ImageVersion | null;
  /** The first of the hops and what comes after it; null at the wanted version itself. */
  readonly first: { readonly delta: MetaDiff | null; readonly image: MetaImage; readonly rest: Trail } | null;
  readonly hops: number;
  /** What the search makes small. */
  readonly price: number;
}

/** What a search makes small: seconds, or bytes on disk. Never falls when a hop is added. */
export type Price = (costs: ByteCosts, hops: number) => number;

/** The trail of a path that has no hop yet. */
export function trailHead({ wanted }: UpdateGraph): Trail {
  return { at: wanted.version, first: null, hops: 0, price: 0, downloadBytes: 0, workBytes: 0, diskBytes: 0 };
}

/** Puts a hop to `rest.at` in front of `rest`: `delta`, or where it is null the whole image. */
export function extendTrail(
  rest: Trail,
  { delta, image }: { readonly delta: MetaDiff | null; readonly image: MetaImage },
  graph: UpdateGraph,
  price: Price,
): Trail {
  const more = delta === null ? imageCosts(image, graph) : deltaCosts(delta, image, graph);
  const costs = {
    downloadBytes: rest.downloadBytes + more.downloadBytes,
    workBytes: rest.workBytes + more.workBytes,
    diskBytes: rest.diskBytes + more.diskBytes,
  };
  const hops = rest.hops + 1;
  return { at: delta?.version ?? null, first: { delta, image, rest }, hops, price: price(costs, hops), ...costs };
}

/** The cheaper trail is below 0; of equal ones that of fewer hops, then by the names of the files in order. */
export function compareTrails(a: Trail, b: Trail): number {
  return a.price - b.price || a.hops - b.hops || compareFiles(a, b);
}

/** The name of the file that the first hop fetches. */
export function firstFile({ first }: Trail): string | null {
  return first === null ? null : (first.delta ?? first.image).filename;
}

/** The trail and all that are in it, from the wanted version on. */
export function trailsWithin(trail: Trail): Trail[] {
  const within: Trail[] = [];
  for (let one: Trail | undefined = trail; one !== undefined; one = one.first?.rest) within.push(one);
  return within.reverse();
}

export function pathOf(trail: Trail, graph: UpdateGraph, rates: Rates): UpdatePath {
  const { downloadBytes, workBytes, diskBytes } = trail;
  const costs = { downloadBytes, workBytes, diskBytes };
  return { hops: pathHops(trail, graph), ...costs, seconds: secondsOf(costs, trail.hops, rates) };
}

function pathHops(trail: Trail, graph: UpdateGraph): PathHop[] {
  const within = trailsWithin(trail).reverse();
  return within.flatMap(({ first }) => (first === null ? [] : [pathHop(first, graph)]));
}

function pathHop({ delta, image }: NonNullable<Trail['first']>, graph: UpdateGraph): PathHop {
  if (delta === null) return { hop: { kind: 'image', image }, downloadBytes: imageCosts(image, graph).downloadBytes };
  const { downloadBytes } = deltaCosts(delta, image, graph);
  return { hop: { kind: 'delta', base: delta.version, delta, image }, downloadBytes };
}

function compareFiles(a: Trail, b: Trail): number {
  for (let one: Trail | undefined = a, other: Trail | undefined = b; one !== other; ) {
    const [name, otherName] = [
      one === undefined ? null : firstFile(one),
      other === undefined ? null : firstFile(other),
    ];
    if (name !== otherName) return (name ?? '') < (otherName ?? '') ? -1 : 1;
    one = one?.first?.rest;
    other = other?.first?.rest;
  }
  return 0;
}
