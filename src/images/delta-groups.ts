import { type DeltaEffort, deltaMemoryBytes, type EngineChoice } from '../delta/generate.js';
import { SEGMENT_BYTES } from '../delta/parameters.js';
import type { ImageKind } from '../squashfs/kind.js';
import type { Resources } from '../workers/crew.js';
import type { DeltaWork } from './make-deltas.js';
import { SharedBase } from './shared-base.js';

/** What a delta needs beside what its group shares: decoders and their buffers. */
export const WORKER_MEMORY_BYTES = 48 << 20;

/** More threads than this do not make one delta faster, and each has buffers of its own. */
const THREADS_MAX = 32;

/** A delta to make, with the base that it shares. */
export interface GroupedWork {
  readonly work: DeltaWork;
  readonly base: SharedBase;
  /** Whether it is the one that indexes the base. */
  readonly isFirst: boolean;
}

export interface GroupOptions {
  readonly engine: EngineChoice;
  readonly resources: Resources;
  readonly onFallback: (reason: string) => void;
}

/** Gathers the deltas of each base, which is then indexed once for all of them. */
export function groupByBase(works: readonly DeltaWork[], options: GroupOptions): GroupedWork[] {
  const groups = new Map<string, DeltaWork[]>();
  for (const work of works) {
    const key = `${work.effort} ${work.base.path}`;
    groups.set(key, [...(groups.get(key) ?? []), work]);
  }
  return [...groups.values()].flatMap((group) => {
    const base = sharedBase(group, options);
    return group.map((work, index) => ({ work, base, isFirst: index === 0 }));
  });
}

/** How hard the search for matches works where nobody says so: on compressed images more effort finds nothing more. */
export function effortFor(base: ImageKind, target: ImageKind): DeltaEffort {
  return base === 'squashfs' && target === 'squashfs' ? 'fast' : 'normal';
}

/** As many threads as may run and have segments to work on, as long as what they need fits into the budget. */
export function threadsFor(
  baseBytes: number,
  targetBytes: number,
  effort: DeltaEffort,
  { jobs, memoryBytes }: Resources,
): number {
  const segments = Math.ceil(Math.max(1, baseBytes, targetBytes) / SEGMENT_BYTES);
  let threads = Math.min(jobs, THREADS_MAX, segments);
  while (threads > 1 && deltaMemoryBytes(baseBytes, effort, threads) > memoryBytes) threads -= 1;
  return threads;
}

function sharedBase(group: readonly DeltaWork[], { engine, resources, onFallback }: GroupOptions): SharedBase {
  const { base, effort } = group[0]!;
  const { sizeBytes } = base.identity;
  const spared = { ...resources, memoryBytes: resources.memoryBytes - WORKER_MEMORY_BYTES };
  const targetBytes = Math.max(...group.map(({ target }) => target.identity.sizeBytes));
  const threads = threadsFor(sizeBytes, targetBytes, effort, spared);
  const memoryBytes = deltaMemoryBytes(sizeBytes, effort, threads);
  return new SharedBase({ path: base.path, effort, engine, threads, uses: group.length, memoryBytes, onFallback });
}
