import type { DeltaEffort } from '../../../src/delta/generate.js';

/**
 * docs/delta-algorithm.md word by word, with no thought for speed or memory: what the engine's bytes are compared
 * with. It shares no code with the engine.
 */
export function modelDelta(base: Buffer, target: Buffer, effort: DeltaEffort): Buffer {
  const index = indexOf(base, effort);
  const pieces: Piece[] = [];
  for (let start = 0; start < target.length; start += segmentBytes) {
    const segment = { bytes: target.subarray(start, start + segmentBytes), start };
    pieces.push(...piecesOf(segment, filled(segment, matched(segment, base, index), base), index));
  }
  return encoded(pieces);
}

const segmentBytes = 2 ** 20;

interface Index {
  readonly sampleBits: number;
  readonly buckets: number;
  /** Bucket, then tag, to position. */
  readonly table: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly runs: ReadonlyMap<number, { position: number; length: number }>;
}

interface Segment {
  readonly bytes: Buffer;
  readonly start: number;
}

interface Copy {
  readonly place: number;
  readonly position: number;
  readonly length: number;
}

/** A literal knows its segment: it is one text with those beside it, but not with those of other segments. */
type Piece =
  | { readonly position: number; readonly length: number }
  | { readonly literal: Buffer; readonly segment: number };

const u32 = (value: number): number => value >>> 0;
const times = (a: number, b: number): number => u32(Number((BigInt(a) * BigInt(b)) & 0xffffffffn));

function mix(x: number, multiplier: number): number {
  const product = times(u32(x), multiplier);
  return u32(product ^ (product >>> 15));
}

/** Where the anchors are among the first windows of a segment, `count` of them, kept and forced. */
function anchorsOf(text: Buffer, count: number, sampleBits: number): number[] {
  const windows = Array.from({ length: Math.max(0, count) }, (_, at) => text.subarray(at, at + 32));
  const raw = windows.map((window) => isRawAnchor(window, sampleBits));
  const isRaw = (at: number) => raw[at] ?? false;
  const isKept = (at: number) =>
    isRaw(at) && ![1, 2, 3].some((before) => isRaw(at - before)) && !hasPeriod(8, text.subarray(at, at + 32));
  const anchors: number[] = [];
  const blockWindows = 16 * 2 ** sampleBits;
  for (let start = 0; start < count; start += blockWindows) {
    const block = windows.slice(start, start + blockWindows);
    const kept = block.map((_, n) => start + n).filter(isKept);
    anchors.push(...kept);
    const ranks = block.map(rankOf);
    const forced = start + ranks.lastIndexOf(ranks.reduce((highest, rank) => Math.max(highest, rank), 0));
    if (kept.length === 0 && !hasPeriod(1, text.subarray(forced, forced + 32))) anchors.push(forced);
  }
  return anchors;
}

function isRawAnchor(window: Buffer, sampleBits: number): boolean {
  const c = Math.min(sampleBits, 8);
  const sum = window.subarray(0, 8).reduce((all, byte, k) => all + byte * 2 ** (7 - k), 0) % 2 ** 8;
  const top = times(window.readUInt32LE(8), 0x2c1b3c6d) / 2 ** (32 - (sampleBits - c));
  return sum <= 132 && sum > 132 - 2 ** (8 - c) && top < 1;
}

function rankOf(window: Buffer): number {
  return times(u32(times(window.readUInt32LE(0), 0x2c1b3c6d) ^ window.readUInt32LE(4)), 0x297a2d39);
}

function hasPeriod(period: number, window: Buffer): boolean {
  return window.subarray(period).equals(window.subarray(0, window.length - period));
}

/** Bucket and tag of the window at `at`. */
function keyOf(text: Buffer, at: number, buckets: number) {
  const words = Array.from({ length: 8 }, (_, k) => text.readUInt32LE(at + 4 * k));
  let a = 0x9e3779b9;
  let b = 0x7f4a7c15;
  for (const word of words) {
    a = mix(a ^ word, 0x2c1b3c6d);
    b = mix(b + word, 0x297a2d39);
  }
  const bucket = Number((BigInt(mix(a ^ (b >>> 16), 0x297a2d39)) * BigInt(buckets)) >> 32n);
  return { bucket, tag: mix(b ^ (a >>> 16), 0x2c1b3c6d) >>> 4 };
}

function indexOf(base: Buffer, effort: DeltaEffort): Index {
  // Larger bases than tests have in memory are sampled less densely.
  const sampleBits = { fast: 7, normal: 6, max: 5 }[effort];
  const buckets = Math.floor(base.length / (4 * 2 ** sampleBits)) + 1;
  const table = new Map<number, Map<number, number>>();
  for (let start = 0; start < base.length; start += segmentBytes) {
    const text = base.subarray(start, start + segmentBytes + 31);
    for (const place of anchorsOf(text, text.length - 31, sampleBits)) {
      const key = keyOf(text, place, buckets);
      const bucket = table.get(key.bucket) ?? new Map<number, number>();
      table.set(key.bucket, bucket);
      // Positions ascend: what is there is lower.
      if (!bucket.has(key.tag) && bucket.size < 8) bucket.set(key.tag, start + place);
    }
  }
  return { sampleBits, buckets, table, runs: longestRuns(base) };
}

function longestRuns(base: Buffer): Index['runs'] {
  const longest = new Map<number, { position: number; length: number }>();
  for (let start = 0; start < base.length; start += segmentBytes) {
    const segment = base.subarray(start, start + segmentBytes);
    for (const { from, to } of runsIn(segment, 0, segment.length)) {
      const value = segment[from] ?? 0;
      if (to - from > (longest.get(value)?.length ?? 0))
        longest.set(value, { position: start + from, length: to - from });
    }
  }
  return longest;
}

function runsIn(text: Buffer, from: number, to: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (let start = from, at = from; at <= to; at += 1) {
    if (at < to && text[at] === text[start]) continue;
    if (at - start >= 32) runs.push({ from: start, to: at });
    start = at;
  }
  return runs;
}

/** How many bytes are equal going by `step` from a place and a position on; places stay in [low, high). */
function equalBytes(
  segment: Segment,
  base: Buffer,
  at: number,
  position: number,
  step: 1 | -1,
  low: number,
  high: number,
) {
  let count = 0;
  for (let t = at, p = position; t >= low && t < high && p >= 0 && p < base.length; t += step, p += step) {
    if (segment.bytes[t] !== base[p]) break;
    count += 1;
  }
  return count;
}

function matched(segment: Segment, base: Buffer, index: Index): Copy[] {
  const copies: Copy[] = [];
  const size = segment.bytes.length;
  let last = segment.start;
  let long = segment.start;
  const end = () => copies.reduce((_, copy) => copy.place + copy.length, 0);
  const isEqualAt = (place: number, position: number) =>
    position >= 0 && equalBytes(segment, base, place, position, 1, 0, Math.min(size, place + 32)) === 32;
  const extend = (place: number, position: number) => {
    const d = position - place;
    const stop = place + equalBytes(segment, base, place, position, 1, 0, size);
    let start = place;
    for (;;) {
      start -= equalBytes(segment, base, start - 1, start - 1 + d, -1, end(), size);
      const before = copies.at(-1);
      if (start !== end() || before === undefined || before.length > 4096) break;
      if (equalBytes(segment, base, start - 1, start - 1 + d, -1, before.place, size) < before.length) break;
      copies.pop();
      start = before.place;
    }
    copies.push({ place: start, position: start + d, length: stop - start });
    last = d;
    if (stop - start >= 512) long = d;
  };
  if (isEqualAt(0, segment.start)) extend(0, segment.start);
  for (const place of anchorsOf(segment.bytes, size - 31, index.sampleBits)) {
    if (place < end()) continue;
    const key = keyOf(segment.bytes, place, index.buckets);
    const found = index.table.get(key.bucket)?.get(key.tag);
    if (found === undefined) continue;
    const position = [place + last, place + long, found].find((candidate) => isEqualAt(place, candidate));
    if (position !== undefined) extend(place, position);
  }
  return copies;
}

function filled(segment: Segment, copies: readonly Copy[], base: Buffer): Copy[] {
  const out: Copy[] = [];
  const size = segment.bytes.length;
  const equal = (from: number, count: number, d: number, low: number, high: number) =>
    from >= low && from + count <= high && equalBytes(segment, base, from, from + d, 1, low, from + count) === count;
  const forward = (from: number, to: number, d: number) => {
    let gap = from;
    const least = from + d < 2 ** 32 ? 10 : 14;
    for (let place = gap; place <= gap + 256 && place < to; place += 1) {
      if (!equal(place, least, d, gap, to)) continue;
      const length = equalBytes(segment, base, place, place + d, 1, gap, to);
      out.push({ place, position: place + d, length });
      gap = place + length;
      place = gap - 1;
    }
    return gap;
  };
  const backward = (from: number, to: number, d: number) => {
    const found: Copy[] = [];
    let gapEnd = to;
    const least = to + d < 2 ** 32 ? 10 : 14;
    for (let stop = gapEnd; stop >= gapEnd - 256 && stop > from; stop -= 1) {
      if (!equal(stop - least, least, d, from, gapEnd)) continue;
      const length = equalBytes(segment, base, stop - 1, stop - 1 + d, -1, from, size);
      gapEnd = stop - length;
      found.unshift({ place: gapEnd, position: gapEnd + d, length });
      stop = gapEnd + 1;
    }
    out.push(...found);
  };
  let diagonal = segment.start;
  let done = 0;
  for (const copy of copies) {
    const from = forward(done, copy.place, diagonal);
    diagonal = copy.position - copy.place;
    backward(from, copy.place, diagonal);
    out.push(copy);
    done = copy.place + copy.length;
  }
  forward(done, size, diagonal);
  return out;
}

function piecesOf({ bytes, start }: Segment, copies: readonly Copy[], index: Index): Piece[] {
  const pieces: Piece[] = [];
  const gap = (from: number, to: number) => {
    let done = from;
    for (const range of runsIn(bytes, from, to)) {
      const run = index.runs.get(bytes[range.from] ?? 0);
      if (run === undefined) continue;
      pieces.push({ literal: bytes.subarray(done, range.from), segment: start });
      done = range.from;
      for (let piece = 0; piece < 4096 && range.to - done >= 32; piece += 1) {
        const length = Math.min(run.length, range.to - done);
        pieces.push({ position: run.position, length });
        done += length;
      }
    }
    pieces.push({ literal: bytes.subarray(done, to), segment: start });
  };
  let done = 0;
  for (const { place, position, length } of copies) {
    gap(done, place);
    pieces.push({ position, length });
    done = place + length;
  }
  gap(done, bytes.length);
  return pieces;
}

function encoded(pieces: readonly Piece[]): Buffer {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const before = joined.at(-1);
    if ('literal' in piece) {
      if (piece.literal.length === 0) continue;
      if (before !== undefined && 'literal' in before && before.segment === piece.segment) {
        joined[joined.length - 1] = { ...piece, literal: Buffer.concat([before.literal, piece.literal]) };
      } else joined.push(piece);
    } else if (before !== undefined && 'position' in before && before.position + before.length === piece.position) {
      joined[joined.length - 1] = { position: before.position, length: before.length + piece.length };
    } else joined.push(piece);
  }
  const commands = joined.flatMap((piece) => ('literal' in piece ? literals(piece.literal) : [copyCommand(piece)]));
  return Buffer.concat([Buffer.from('72730236', 'hex'), ...commands, Buffer.from([0])]);
}

function literals(text: Buffer): Buffer[] {
  const commands: Buffer[] = [];
  for (let at = 0; at < text.length; at += 32768) {
    const part = text.subarray(at, at + 32768);
    if (part.length <= 64) commands.push(Buffer.from([part.length]), part);
    else {
      const length = integer(part.length);
      commands.push(Buffer.from([0x41 + Math.log2(length.length)]), length, part);
    }
  }
  return commands;
}

function copyCommand({ position, length }: { position: number; length: number }): Buffer {
  const [offset, count] = [integer(position), integer(length)];
  return Buffer.concat([Buffer.from([0x45 + 4 * Math.log2(offset.length) + Math.log2(count.length)]), offset, count]);
}

function integer(value: number): Buffer {
  const hex = value.toString(16);
  const digits = [2, 4, 8, 16].find((width) => hex.length <= width) ?? 16;
  return Buffer.from(hex.padStart(digits, '0'), 'hex');
}
