import { rm, stat } from 'node:fs/promises';
import type { DeltaEffort, DeltaStatistics, EngineChoice } from '../delta/generate.js';
import { deltaMemoryBytes } from '../delta/generate.js';
import { temporaryPathOf } from '../delta/temporary-path.js';
import { fromSystemError, UpdateRepositoryError } from '../errors.js';
import type { DeltaSummaryEvent, EventSink } from '../events.js';
import { placeOf, placeOutput } from '../io/place-output.js';
import { detectImageKind, type ImageKind } from '../squashfs/kind.js';
import { openImageFile } from '../squashfs/random-access-file.js';
import { Crew, type Resources } from '../workers/crew.js';
import type { JobContext } from '../workers/pool.js';
import type { RunJob, Task } from '../workers/task.js';
import { effortFor, threadsFor } from './delta-groups.js';
import { firstPartHere, partsAsJobs } from './parts.js';
import { SharedBase } from './shared-base.js';

export interface SingleDeltaOptions {
  readonly basePath: string;
  readonly targetPath: string;
  /** Where the delta goes. */
  readonly deltaPath: string;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
  /** Undefined takes what suits the kinds of the two files. */
  readonly effort: DeltaEffort | undefined;
  readonly engine: EngineChoice;
  /** Apply the delta, and compare what it makes with the target. */
  readonly verify: boolean;
  /** Whether the delta is on the disk before it gets its name. */
  readonly sync: boolean;
  readonly resources: Resources;
  readonly signal: AbortSignal;
  readonly onEvent: EventSink;
}

/** The threads' buffers for output and for applying. */
const WORK_MEMORY_BYTES = 16 << 20;

/**
 * Makes one delta of two files, with all cores: beside `deltaPath` under a temporary name that ends in `.tmp`, fsynced
 * unless `sync` is false, and renamed. Leaves nothing behind when it fails. Memory: deltaMemoryBytes and 16 MiB.
 *
 * @returns the summary, which is also emitted.
 * @throws UpdateRepositoryError as generateDelta; VERIFICATION
 */
export async function makeSingleDelta(options: SingleDeltaOptions): Promise<DeltaSummaryEvent> {
  const startedAt = performance.now();
  const { basePath, targetPath, deltaPath, resources, signal, onEvent } = options;
  const [baseBytes, targetBytes] = [await sizeOf(basePath), await sizeOf(targetPath)];
  const effort = options.effort ?? effortFor(await kindOf(basePath), await kindOf(targetPath));
  const spared = { ...resources, memoryBytes: resources.memoryBytes - WORK_MEMORY_BYTES };
  const threads = threadsFor(baseBytes, targetBytes, effort, spared);
  let made: DeltaStatistics | undefined;
  const task = deltaTask(options, { effort, threads, baseBytes, targetBytes }, (statistics) => {
    made = statistics;
  });
  await using crew = new Crew({ resources, signal, onEvent });
  if (threads > 1) await crew.startThread();
  await crew.run([task], false);
  if (made === undefined) throw new UpdateRepositoryError('INTERNAL', `${deltaPath}: made without a result`);
  const durationMs = Math.round(performance.now() - startedAt);
  const summary: DeltaSummaryEvent = {
    type: 'delta-summary',
    base: basePath,
    target: targetPath,
    delta: deltaPath,
    baseBytes,
    targetBytes,
    ...made,
    effort,
    verified: options.verify,
    durationMs,
  };
  onEvent(summary);
  return summary;
}

interface Measures {
  readonly effort: DeltaEffort;
  readonly threads: number;
  readonly baseBytes: number;
  readonly targetBytes: number;
}

function deltaTask(
  options: SingleDeltaOptions,
  { effort, threads, baseBytes, targetBytes }: Measures,
  onMade: (statistics: DeltaStatistics) => void,
): Task {
  const { basePath, deltaPath, engine, verify, onEvent } = options;
  const base = new SharedBase({
    path: basePath,
    effort,
    engine,
    threads,
    uses: 1,
    memoryBytes: deltaMemoryBytes(baseBytes, effort, threads),
    onFallback: (reason) => {
      const message = `made by the slower engine in TypeScript: ${reason}`;
      onEvent({ type: 'note', level: 'warning', message });
    },
  });
  return {
    kind: 'delta',
    path: deltaPath,
    totalBytes: baseBytes + (verify ? 2 : 1) * targetBytes,
    memoryBytes: WORK_MEMORY_BYTES,
    group: base,
    async perform(run, context) {
      const statistics = await makeInPlace(options, base, run, context);
      onMade(statistics);
      const percent = ((100 * statistics.deltaBytes) / Math.max(1, targetBytes)).toFixed(1);
      return { sizeBytes: statistics.deltaBytes, detail: `${percent} % of the target` };
    },
  };
}

async function makeInPlace(
  options: SingleDeltaOptions,
  base: SharedBase,
  run: RunJob,
  context: JobContext,
): Promise<DeltaStatistics> {
  const { basePath, targetPath, deltaPath, force, verify, sync } = options;
  const temporaryPath = temporaryPathOf(placeOf(deltaPath));
  try {
    const statistics = await base.delta(firstPartHere(partsAsJobs(run, basePath), context), {
      targetPath,
      deltaPath: temporaryPath,
      sync,
    });
    if (verify) await run({ kind: 'compare-delta', path: temporaryPath, basePath, targetPath });
    placeOutput(temporaryPath, deltaPath, { force, sync });
    return statistics;
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw fromSystemError(error, 'look at it', path);
  }
}

async function kindOf(path: string): Promise<ImageKind> {
  const file = await openImageFile(path);
  try {
    return await detectImageKind(file);
  } finally {
    await file.close();
  }
}
