import { setImmediate } from 'node:timers/promises';
import { type ArenaMemory, arenaBuffer } from './arena.js';
import type { ArenaLayout } from './arena-layout.js';
import { makeBreather } from './breather.js';
import { EncodedSegment } from './encoded-segment.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { JsEngine } from './js-engine.js';
import { type DeltaParameters, SEGMENT_BYTES } from './parameters.js';
import { PositionedFile } from './positioned-file.js';
import { SegmentJoiner } from './segment-joiner.js';
import { NO_SEGMENT, NO_SLOT_YET, SegmentQueue } from './segment-queue.js';
import { SourceFile, type SourceState } from './source-file.js';
import { WasmEngine } from './wasm-engine.js';

/** What all parts of the work with one base have in common; it crosses to other threads by structured clone. */
export interface SharedWork {
  readonly base: SourceState;
  readonly parameters: DeltaParameters;
  readonly tuning: EngineTuning;
  readonly memory: ArenaMemory;
  readonly layout: ArenaLayout;
}

/** A delta that is being made. */
export interface SharedDelta {
  readonly target: SourceState;
  /** There, with the magic in it. */
  readonly path: string;
  readonly maxDeltaBytes: number;
  /** Whether it is to be on the disk in the end. */
  readonly sync: boolean;
}

/** What one thread does of a delta. Parts of one kind run side by side, each with a `thread` of its own. */
export type DeltaPart =
  /** Empties the table, and its locks: one part. */
  | { readonly kind: 'clear'; readonly work: SharedWork }
  /** Takes segments of the base and indexes them until none is left. */
  | { readonly kind: 'index'; readonly work: SharedWork; readonly thread: number }
  /** Takes segments of the target, matches them, and writes what is next, until none is left. */
  | { readonly kind: 'match'; readonly work: SharedWork; readonly thread: number; readonly delta: SharedDelta }
  /** Writes the delta's end, and makes it durable where that is wanted: one part, when all segments are written. */
  | { readonly kind: 'finish'; readonly work: SharedWork; readonly delta: SharedDelta };

/** Gets the bytes that were read since the last call, and the path of the file; what it throws ends the part. */
export type ReportBytes = (bytes: number, path: string) => void;

/** Where a thread that has other things to do may do them: after each segment, or after a wait of a tenth of a second. */
type Pauses = Generator<void, void, void>;

/**
 * Does a part of a delta, in whatever thread it is called, and blocks until it is done. When one part fails the others
 * that run beside it stop, and return as if they were done.
 *
 * @throws UpdateRepositoryError CHANGED_WHILE_READ, DELTA_TOO_LARGE, NOT_FOUND, NO_SPACE, IO
 */
export function runDeltaPart(part: DeltaPart, report: ReportBytes): void {
  const pauses = pausesOf(part, report);
  while (pauses.next().done !== true);
}

/**
 * As {@link runDeltaPart}, in a thread that has signals to hear and other threads to serve: the event loop runs between
 * two segments, when the last time was 20 ms ago.
 *
 * @throws what `signal` was aborted with, and what {@link runDeltaPart} throws
 */
export async function runDeltaPartPausing(part: DeltaPart, report: ReportBytes, signal: AbortSignal): Promise<void> {
  // What is asked of other threads along with this goes out first.
  await setImmediate();
  const breathe = makeBreather();
  for (const _ of pausesOf(part, report)) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    signal.throwIfAborted();
  }
}

function* pausesOf(part: DeltaPart, report: ReportBytes): Pauses {
  switch (part.kind) {
    case 'clear':
      clearTable(part.work);
      break;
    case 'index':
    case 'match':
      yield* sharedPart(part, report);
      break;
    case 'finish':
      finishDelta(part.work, part.delta);
      break;
  }
}

/** Also where nothing was written to it before: a page of memory that is read first, as a bucket is, faults twice. */
function clearTable({ memory, layout }: SharedWork): void {
  const from = layout.locks === 0 ? layout.table : layout.locks;
  new Uint8Array(arenaBuffer(memory), from, layout.end - from).fill(0);
}

function* sharedPart(part: Extract<DeltaPart, { thread: number }>, report: ReportBytes): Pauses {
  const { work } = part;
  const queue = queueOf(work, part.kind === 'index' ? work.base : part.delta.target);
  try {
    const base = SourceFile.inState(work.base);
    try {
      const engine = openEngine(work, part.thread, base);
      if (part.kind === 'index') yield* indexBase(base, engine, queue, report);
      else yield* matchTarget(work, part.delta, engine, queue, report);
      base.assertUnchanged();
    } finally {
      base.close();
    }
  } catch (error) {
    queue.stop();
    throw error;
  }
}

/** The queue of all segments of `file`. */
export function queueOf({ memory, layout }: SharedWork, file: SourceState): SegmentQueue {
  const segments = Math.ceil(file.sizeBytes / SEGMENT_BYTES);
  return new SegmentQueue(arenaBuffer(memory), layout.queue, segments, layout.slots.length);
}

export function joinerOf({ memory, layout }: SharedWork, delta: SharedDelta, file: PositionedFile): SegmentJoiner {
  const write = (bytes: Uint8Array, position: number) => file.write(bytes, position);
  return new SegmentJoiner(arenaBuffer(memory), layout.joiner, write, delta.path, delta.maxDeltaBytes);
}

function openEngine({ memory, layout, parameters, tuning }: SharedWork, number: number, base: SourceFile): DeltaEngine {
  const thread = layout.threads[number]!;
  switch (memory.engine) {
    case 'wasm':
      return new WasmEngine({ ...memory, layout, thread }, base, parameters, tuning);
    case 'js':
      return new JsEngine({ ...memory, layout, thread }, base, parameters, tuning);
  }
}

function* indexBase(base: SourceFile, engine: DeltaEngine, queue: SegmentQueue, report: ReportBytes): Pauses {
  for (let segment = queue.claim(); segment !== NO_SEGMENT; segment = queue.claim()) {
    const start = segment * SEGMENT_BYTES;
    engine.indexSegment(start);
    report(Math.min(SEGMENT_BYTES, base.sizeBytes - start), base.path);
    yield;
  }
}

function* matchTarget(
  work: SharedWork,
  delta: SharedDelta,
  engine: DeltaEngine,
  queue: SegmentQueue,
  report: ReportBytes,
): Pauses {
  const target = SourceFile.inState(delta.target);
  try {
    const file = PositionedFile.open(delta.path);
    try {
      const joiner = joinerOf(work, delta, file);
      const slots = work.layout.slots.map((address) => new EncodedSegment(arenaBuffer(work.memory), address));
      for (let segment = queue.claim(); segment !== NO_SEGMENT; segment = queue.claim()) {
        const start = segment * SEGMENT_BYTES;
        const length = Math.min(SEGMENT_BYTES, target.sizeBytes - start);
        target.read(engine.segment, 0, length, start);
        let slot = queue.waitForSlot(segment);
        for (; slot === NO_SLOT_YET; slot = queue.waitForSlot(segment)) yield;
        if (slot === NO_SEGMENT) return;
        engine.match(start, length, slot);
        queue.complete(segment, (ready) => joiner.append(slots[ready]!));
        report(length, target.path);
        yield;
      }
    } finally {
      file.close();
    }
    target.assertUnchanged();
  } finally {
    target.close();
  }
}

function finishDelta(work: SharedWork, delta: SharedDelta): void {
  const file = PositionedFile.open(delta.path);
  try {
    joinerOf(work, delta, file).finish();
    if (delta.sync) file.sync();
  } finally {
    file.close();
  }
}
