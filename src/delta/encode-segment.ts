import { type CommandBytes, putCopy, putLiteralHeader, putText } from './commands.js';
import type { Copies } from './copy-list.js';
import { type Copy, type EncodedSegment, NO_COPY } from './encoded-segment.js';
import { LITERAL_MAX_BYTES } from './format.js';
import type { TargetSegment } from './match.js';
import { type BaseRuns, nextRun, RUN_MIN_BYTES, type Run } from './runs.js';

/** A run of the target is copied in at most this many pieces, where the base's runs are short; the rest is literal. */
const RUN_PIECES_MAX = 4096;

/** Writes one segment to `out`: its copies, and between them literals in which runs of one byte become copies, too. */
export function encodeSegment(segment: TargetSegment, copies: Copies, runs: BaseRuns, out: EncodedSegment): void {
  const encoder = new SegmentEncoder(out);
  const run: Run = { start: 0, end: 0 };
  let done = 0;
  for (let n = 0; n < copies.count; n += 1) {
    addGap(segment, done, copies.starts[n]!, runs, run, encoder);
    encoder.copy(copies.positions[n]!, copies.lengths[n]!);
    done = copies.starts[n]! + copies.lengths[n]!;
  }
  addGap(segment, done, segment.length, runs, run, encoder);
  encoder.finish();
}

function addGap(
  { block }: TargetSegment,
  from: number,
  to: number,
  runs: BaseRuns,
  run: Run,
  encoder: SegmentEncoder,
): void {
  let done = from;
  for (let at = from; nextRun(block, at, to, run); at = run.end) {
    const value = block.bytes[run.start]!;
    const available = runs.lengthOf(value);
    if (available === 0) continue;
    encoder.literal(block.bytes, done, run.start);
    done = addRun(run, runs.positionOf(value), available, encoder);
  }
  encoder.literal(block.bytes, done, to);
}

/** Copies a run in pieces as long as the base has them; returns where in the segment it stopped. */
function addRun(run: Run, position: number, available: number, encoder: SegmentEncoder): number {
  let done = run.start;
  for (let piece = 0; piece < RUN_PIECES_MAX && run.end - done >= RUN_MIN_BYTES; piece += 1) {
    const length = Math.min(available, run.end - done);
    encoder.copy(position, length);
    done += length;
  }
  return done;
}

/** Collects the commands of one segment: copies that continue each other become one, no literal passes 32 KiB. */
class SegmentEncoder {
  readonly #out: EncodedSegment;
  readonly #commands: CommandBytes;
  #used = 0;
  #lead: Copy = NO_COPY;
  #position = 0;
  #length = 0;
  #copyCommands = 0;
  #copiedBytes = 0;
  #literalCommands = 0;
  #literalBytes = 0;

  constructor(out: EncodedSegment) {
    const { body } = out;
    this.#out = out;
    this.#commands = { bytes: body, view: new DataView(body.buffer, body.byteOffset, body.byteLength) };
  }

  copy(position: number, length: number): void {
    if (this.#length > 0 && position === this.#position + this.#length) {
      this.#length += length;
      return;
    }
    this.#endCopy();
    this.#position = position;
    this.#length = length;
  }

  literal(bytes: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#endCopy();
    for (let at = from; at < to; ) {
      const length = Math.min(to - at, LITERAL_MAX_BYTES);
      this.#used = putLiteralHeader(this.#commands, this.#used, length);
      this.#used = putText(this.#commands.bytes, this.#used, bytes, at, length);
      this.#literalCommands += 1;
      at += length;
    }
    this.#literalBytes += to - from;
  }

  finish(): void {
    if (this.#isAtStart()) this.#endCopy();
    this.#out.describe(
      this.#used,
      this.#lead,
      { position: this.#position, length: this.#length },
      {
        copyCommands: this.#copyCommands,
        copiedBytes: this.#copiedBytes,
        literalCommands: this.#literalCommands,
        literalBytes: this.#literalBytes,
      },
    );
  }

  #isAtStart(): boolean {
    return this.#used === 0 && this.#lead.length === 0;
  }

  #endCopy(): void {
    if (this.#length === 0) return;
    if (this.#isAtStart()) {
      this.#lead = { position: this.#position, length: this.#length };
    } else {
      this.#used = putCopy(this.#commands, this.#used, this.#position, this.#length);
      this.#copyCommands += 1;
      this.#copiedBytes += this.#length;
    }
    this.#length = 0;
  }
}
