import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { AnchorTable } from '../../src/delta/anchor-table.js';
import { BasePages } from '../../src/delta/base-pages.js';
import { allocateBlock } from '../../src/delta/byte-block.js';
import { GapFiller } from '../../src/delta/fill-gaps.js';
import { type BaseIndex, indexSegment, makeIndexScratch } from '../../src/delta/index-base.js';
import { SegmentMatcher } from '../../src/delta/match.js';
import { BUCKET_BYTES, deltaParameters, SEGMENT_BYTES } from '../../src/delta/parameters.js';
import { BaseRuns, RUNS_BYTES } from '../../src/delta/runs.js';
import { SourceFile } from '../../src/delta/source-file.js';
import { pseudoRandomBytes, pseudoRandomNumbers } from '../support/pseudo-random.js';
import { temporaryDirectoryOfSuite } from '../support/temporary-directory.js';

const dir = temporaryDirectoryOfSuite();
const sources: SourceFile[] = [];
afterAll(() => {
  for (const source of sources) source.close();
});

function sourceOf(base: Buffer): SourceFile {
  const path = join(dir, `base-${sources.length}`);
  writeFileSync(path, base);
  const source = new SourceFile(path);
  sources.push(source);
  return source;
}

/** The index of a base whose segments are indexed in the order that `arrange` makes of theirs. */
function indexed(source: SourceFile, arrange = (starts: number[]) => starts): BaseIndex {
  const { sampleBits, buckets } = deltaParameters(source.sizeBytes, 'max');
  const table = new AnchorTable(new SharedArrayBuffer(buckets * BUCKET_BYTES), 0, buckets);
  const index = { sampleBits, table, runs: new BaseRuns(new SharedArrayBuffer(RUNS_BYTES), 0) };
  const scratch = makeIndexScratch(index, 8192, source.sizeBytes);
  const starts = Array.from({ length: Math.ceil(source.sizeBytes / SEGMENT_BYTES) }, (_, n) => n * SEGMENT_BYTES);
  for (const start of arrange(starts)) indexSegment(source, start, index, scratch);
  return index;
}

/** The copies of the target's first segment, and the bytes that were compared to find them. */
function matched(source: SourceFile, index: BaseIndex, target: Buffer) {
  const pages = new BasePages(source, 65536, 128);
  const block = allocateBlock(SEGMENT_BYTES);
  const length = target.copy(block.bytes);
  const segment = { block, start: 0, length };
  const copies = new GapFiller(pages).fill(segment, new SegmentMatcher(index, pages, 8192).match(segment));
  const list = Array.from({ length: copies.count }, (_, n) => [
    copies.starts[n],
    copies.positions[n],
    copies.lengths[n],
  ]);
  return { list, comparedPerByte: pages.comparedBytes / length };
}

function comparedPerByte(base: Buffer, target: Buffer): number {
  const source = sourceOf(base);
  return matched(source, indexed(source), target).comparedPerByte;
}

const random = pseudoRandomBytes('work', 2 ** 20);

describe('the work for a byte of the target, counted in compared bytes, is bounded', () => {
  test('for equal files: once', () => {
    expect(comparedPerByte(random, random)).toBeLessThan(1.1);
  });

  test('for unrelated files: hardly any', () => {
    expect(comparedPerByte(random, pseudoRandomBytes('unrelated', 2 ** 20))).toBeLessThan(0.1);
  });

  test.each([1, 7, 8, 12, 24, 100, 1000])('for data of period %d with a byte changed here and there', (period) => {
    const base = Buffer.alloc(2 ** 20, random.subarray(0, period));
    const target = Buffer.from(base);
    for (let at = 500; at < target.length; at += 997) target[at] = 255;
    expect(comparedPerByte(base, target)).toBeLessThan(4);
  });

  test('for thousands of pages that differ in few bytes, in another order', () => {
    const page = random.subarray(0, 4096);
    const pageOf = (seed: number) => {
      const changed = Buffer.from(page);
      const next = pseudoRandomNumbers(`page ${seed}`);
      for (let change = 0; change < 8; change += 1)
        changed[Math.floor(next() * page.length)] = Math.floor(next() * 256);
      return changed;
    };
    const pages = Array.from({ length: 256 }, (_, n) => pageOf(n));
    const base = Buffer.concat(pages);
    const target = Buffer.concat(pages.map((_, n) => pages[(n * 77) % pages.length] ?? page));
    expect(comparedPerByte(base, target)).toBeLessThan(10);
  });

  test('for a target that jumps to and fro between pieces of a few dozen bytes', () => {
    const pieces = Array.from({ length: 2 ** 14 }, (_, n) => {
      const at = (n * 40_503) % (random.length - 48);
      return random.subarray(at, at + 48);
    });
    expect(comparedPerByte(random, Buffer.concat(pieces))).toBeLessThan(20);
  });
});

test('the order in which segments of the base are indexed changes nothing', () => {
  const base = Buffer.concat([
    random,
    Buffer.alloc(2 ** 21, 3),
    random,
    Buffer.alloc(5000, 3),
    random.subarray(0, 700_000),
  ]);
  const target = Buffer.concat([
    random.subarray(300_000, 800_000),
    Buffer.alloc(3000, 3),
    base.subarray(3_000_000, 4_000_000),
  ]);
  const source = sourceOf(base);
  const forwards = indexed(source);
  const backwards = indexed(source, (starts) => starts.reverse());
  expect(matched(source, backwards, target).list).toEqual(matched(source, forwards, target).list);
  expect(backwards.runs).toEqual(forwards.runs);
});
