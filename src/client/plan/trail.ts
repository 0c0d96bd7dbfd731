import type { ImageVersion } from '../../metadata/brands.js';
import type { MetaDiff, MetaImage } from '../../metadata/meta.js';
import { type DeltaForm, deltaCosts, imageCosts, type UpdateGraph } from './graph.js';
import { type ByteCosts, type PathHop, secondsOf, type UpdatePath } from './path.js';
import type { Rates } from './request.js';

/** A way to an image by one file. */
export interface Edge {
  /** Null for the whole image. */
  readonly delta: MetaDiff | null;
  /** What is fetched: the delta in one of its forms, or the image. */
  readonly form: DeltaForm | MetaImage;
  readonly image: MetaImage;
}

/**
 * The end of a path: the hops from the version `at` to the wanted one, as a search that starts there finds them. It is a
 * whole path where `at` is on the device, or null, where it begins with a whole image.
 */
export interface Trail extends ByteCosts {
  readonly at: ImageVersion | null;
  /** The first of the hops and what comes after it; null at the wanted version itself. */
  readonly first: (Edge & { readonly rest: Trail }) | null;
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

/** Puts a hop to `rest.at` in front of `rest`. */
export function extendTrail(rest: Trail, edge: Edge, graph: UpdateGraph, price: Price): Trail {
  const { delta } = edge;
  const more = edgeCosts(edge, graph);
  const costs = {
    downloadBytes: rest.downloadBytes + more.downloadBytes,
    workBytes: rest.workBytes + more.workBytes,
    diskBytes: rest.diskBytes + more.diskBytes,
  };
  const hops = rest.hops + 1;
  return { at: delta?.version ?? null, first: { ...edge, rest }, hops, price: price(costs, hops), ...costs };
}

/** The cheaper trail is below 0; of equal ones that of fewer hops, then by the names of the files in order. */
export function compareTrails(a: Trail, b: Trail): number {
  return a.price - b.price || a.hops - b.hops || compareFiles(a, b);
}

/** The name of the file that the first hop fetches. */
export function firstFile({ first }: Trail): string | null {
  return first === null ? null : first.form.filename;
}

/** What tells the first hop from other ways to its image: the name of the delta in all its forms, or of the image. */
export function wayInto({ first }: Trail): string | null {
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

function pathHop(edge: Edge, graph: UpdateGraph): PathHop {
  const { delta, form, image } = edge;
  const { downloadBytes } = edgeCosts(edge, graph);
  if (delta === null) return { hop: { kind: 'image', image }, downloadBytes };
  const compressed = delta.zst === form ? { zst: delta.zst } : {};
  return { hop: { kind: 'delta', base: delta.version, delta, ...compressed, image }, downloadBytes };
}

function edgeCosts({ delta, form, image }: Edge, graph: UpdateGraph): ByteCosts {
  return delta === null ? imageCosts(image, graph) : deltaCosts(delta, form, image, graph);
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
