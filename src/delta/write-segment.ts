import type { Copies } from './copy-list.js';
import type { DeltaWriter } from './encode.js';
import type { TargetSegment } from './match.js';
import { type BaseRuns, nextRun, RUN_MIN_BYTES, type Run } from './runs.js';

/** A run of the target is copied in at most this many pieces, where the base's runs are short; the rest is literal. */
const RUN_PIECES_MAX = 4096;

/** Writes one segment: its copies, and between them literals in which runs of one byte become copies, too. */
export function writeSegment(segment: TargetSegment, copies: Copies, runs: BaseRuns, writer: DeltaWriter): void {
  const run: Run = { start: 0, end: 0 };
  let done = 0;
  for (let n = 0; n < copies.count; n += 1) {
    writeGap(segment, done, copies.starts[n]!, runs, run, writer);
    writer.copy(copies.positions[n]!, copies.lengths[n]!);
    done = copies.starts[n]! + copies.lengths[n]!;
  }
  writeGap(segment, done, segment.length, runs, run, writer);
}

function writeGap(
  { block }: TargetSegment,
  from: number,
  to: number,
  runs: BaseRuns,
  run: Run,
  writer: DeltaWriter,
): void {
  let done = from;
  for (let at = from; nextRun(block, at, to, run); at = run.end) {
    const value = block.bytes[run.start]!;
    const available = runs.lengthOf(value);
    if (available === 0) continue;
    writer.literal(block.bytes, done, run.start);
    done = copyRun(run, runs.positionOf(value), available, writer);
  }
  writer.literal(block.bytes, done, to);
}

/** Copies a run in pieces as long as the base has them; returns where in the segment it stopped. */
function copyRun(run: Run, position: number, available: number, writer: DeltaWriter): number {
  let done = run.start;
  for (let piece = 0; piece < RUN_PIECES_MAX && run.end - done >= RUN_MIN_BYTES; piece += 1) {
    const length = Math.min(available, run.end - done);
    writer.copy(position, length);
    done += length;
  }
  return done;
}
