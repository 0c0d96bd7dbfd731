import type { Hop } from '../hop.js';
import { fileNameOf } from '../hop.js';
import type { Rates } from './request.js';

/** Bytes that a hop, or a path, costs. */
export interface ByteCosts {
  /** Bytes to fetch. */
  readonly downloadBytes: number;
  /** Bytes to read from disk and to write. */
  readonly workBytes: number;
  /** Bytes on disk beside what is there now, at the moment when they are most. */
  readonly diskBytes: number;
}

/** A way to the wanted version, with what it costs. */
export interface UpdatePath extends ByteCosts {
  readonly hops: readonly PathHop[];
  readonly seconds: number;
}

/** A hop of a path, with what is left to fetch of its file. */
export interface PathHop {
  readonly hop: Hop;
  readonly downloadBytes: number;
}

/** What so many bytes and hops take. */
export function secondsOf(costs: ByteCosts, hops: number, rates: Rates): number {
  return (
    costs.downloadBytes / rates.downloadBytesPerSecond +
    costs.workBytes / rates.diskBytesPerSecond +
    hops * rates.hopSeconds
  );
}

/** The cheaper path first; of equal ones that of fewer hops, then by the names of the files in order. */
export function comparePaths(a: UpdatePath, b: UpdatePath): number {
  return a.seconds - b.seconds || a.hops.length - b.hops.length || compareNames(namesOf(a), namesOf(b));
}

/** Whether two paths fetch the same files in the same order. */
export function isSamePath(a: UpdatePath, b: UpdatePath): boolean {
  return a.hops.length === b.hops.length && compareNames(namesOf(a), namesOf(b)) === 0;
}

function namesOf({ hops }: UpdatePath): string[] {
  return hops.map(({ hop }) => fileNameOf(hop));
}

function compareNames(a: readonly string[], b: readonly string[]): number {
  for (const [index, name] of a.entries()) {
    const other = b[index];
    if (other !== undefined && name !== other) return name < other ? -1 : 1;
  }
  return a.length - b.length;
}
