import { describe, expect, it } from 'vitest';
import { markdownBlock, plainBlock } from '../../bench/report.mjs';
import { atLeast, atMost, targetsBlock } from '../../bench/targets/target.mjs';
import { targetsOf } from '../../bench/targets/targets.mjs';

const cost = (cpuSeconds: number, wallSeconds = cpuSeconds, peakRssBytes = 1e8) => ({
  cpuSeconds,
  wallSeconds,
  peakRssBytes,
});

const measured = (id: string, cpuSeconds: number, deltaBytes: number) => ({
  id,
  name: id,
  runs: 5,
  cost: cost(cpuSeconds),
  deltaBytes,
  applied: [
    { by: 'ours', cost: cost(1) },
    { by: 'rdiff', cost: cost(2) },
  ],
});

const gzipPair = (ours: { cpuSeconds: number; deltaBytes: number }) => ({
  bench: 'delta',
  machine: 'a machine',
  runs: 5,
  pairs: [
    {
      name: 'desktop-gzip',
      kind: 'gzip' as const,
      base: 'old.img',
      target: 'new.img',
      baseBytes: 1e9,
      targetBytes: 1e9,
      measured: [measured('wasm', ours.cpuSeconds, ours.deltaBytes), measured('rdiff-128', 30, 400)],
    },
  ],
});

const verdictOf = (figures: Parameters<typeof targetsOf>[0], what: RegExp) =>
  targetsOf(figures).find((target) => what.test(target.what))?.met;

describe('the targets', () => {
  it('are met at exactly the wanted figure and not beyond it', () => {
    expect(atLeast('1', 'speed', 20, 20).met).toBe(true);
    expect(atLeast('1', 'speed', 20, 19.9).met).toBe(false);
    expect(atMost('2', 'bytes', 1, 1).met).toBe(true);
    expect(atMost('2', 'bytes', 1, 1.0001).met).toBe(false);
  });

  it('are neither met nor missed where nothing was measured', () => {
    expect(atLeast('1', 'speed', 20, undefined)).toMatchObject({ found: 'not measured', met: undefined });
    expect(plainBlock(targetsBlock([atLeast('1', 'speed', 20, undefined)]))).not.toMatch(/met|NOT/);
  });

  it('hold our costs against those of rdiff -b 128 on the same pair', () => {
    expect(verdictOf({ delta: gzipPair({ cpuSeconds: 1.5, deltaBytes: 400 }) }, /^gzip: CPU.*1 thread/)).toBe(true);
    expect(verdictOf({ delta: gzipPair({ cpuSeconds: 1.6, deltaBytes: 400 }) }, /^gzip: CPU.*1 thread/)).toBe(false);
    expect(verdictOf({ delta: gzipPair({ cpuSeconds: 1.5, deltaBytes: 401 }) }, /bytes, ours/)).toBe(false);
  });

  it('hold what a device does against rdiff that does the same, and against 200 MB', () => {
    const applied = (name: string, wallSeconds: number, peakRssBytes = 1e8) => ({
      name,
      cost: cost(1, wallSeconds, peakRssBytes),
    });
    const client = {
      pair: 'large',
      targetBytes: 4e9,
      deltaBytes: 1e9,
      applied: [
        applied('ours, from a file', 5, 2.01e8),
        applied('`patch --no-sync`', 3),
        applied('rdiff patch', 2.9),
        applied('rdiff patch, sync, sha256', 7),
      ],
    };
    expect(verdictOf({ client }, /^client, ours, from a file: wall/)).toBe(true);
    expect(verdictOf({ client }, /^client, ours, from a file: MB/)).toBe(false);
    expect(verdictOf({ client }, /^client, `patch --no-sync`: wall/)).toBe(false);
    expect(targetsOf({ client })).toHaveLength(4);
  });

  it('find a shape that is a tenth as fast as random bytes, and one that is slower', () => {
    const shape = (name: string, bytesPerSecond: number) => ({ name, bytesPerSecond, deltaBytes: 1, cost: cost(1) });
    const shapes = {
      bench: 'shapes',
      machine: 'a machine',
      mebibytes: 512,
      runs: 1,
      shapes: [shape('random, against other random bytes', 1000), shape('zeros', 100), shape('pages', 99)],
    };
    expect(verdictOf({ shapes }, /^zeros/)).toBe(true);
    expect(verdictOf({ shapes }, /^pages/)).toBe(false);
  });
});

describe('a block of a report', () => {
  it('is a table for people, and one for a page', () => {
    const block = {
      title: 'Speed',
      notes: ['one run'],
      rows: [
        ['', 'CPU'],
        ['ours', '1.50 s'],
      ],
    };
    expect(plainBlock(block)).toBe('Speed\none run\n         CPU\nours  1.50 s\n');
    expect(markdownBlock(block)).toBe('### Speed\n\none run\n\n|  | CPU |\n|---|--:|\n| ours | 1.50 s |\n');
  });
});
