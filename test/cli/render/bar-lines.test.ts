import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progressLines } from '../../../src/cli/render/bar-lines.js';
import type { ProgressSnapshot, RunningJob } from '../../../src/cli/render/progress-state.js';
import { DELTA, NEW_IMAGE } from './sample-events.js';

const MIB = 1024 ** 2;
const image: RunningJob = {
  kind: 'examine',
  path: NEW_IMAGE,
  doneBytes: 450 * MIB,
  totalBytes: 1000 * MIB,
  bytesPerSecond: 50 * MIB,
};
const delta: RunningJob = { ...image, kind: 'delta', path: DELTA, doneBytes: 0, bytesPerSecond: undefined };
const snapshot: ProgressSnapshot = {
  running: [image, delta],
  ended: 3,
  expected: 12,
  bytesPerSecond: 120.5 * MIB,
  fraction: 0.279,
  leftMs: 754_000,
};

describe('the lines of the progress display', () => {
  it('at 79 columns', () => {
    expect(progressLines(snapshot, 79, 23)).toEqual([
      'image puavo-os...r-2022-01-20-173248-amd64 [####------]  45 % 50.0 MiB/s   0:11',
      'delta 2022-01-17-120001--2022-01-20-173248 [----------]   0 %                  ',
      '3 of 12 done                               [##--------]  27 %  121 MiB/s  12:34',
    ]);
  });

  it('at 119 columns', () => {
    expect(progressLines(snapshot, 119, 23)).toEqual([
      'image puavo-os-acme-buster-2022-01-20-173248-amd64                       [#########-----------]  45 % 50.0 MiB/s   0:11',
      'delta puavo-os-acme-buster-2022-01-17-120001--2022-01-20-173248-amd64    [--------------------]   0 %                  ',
      '3 of 12 done                                                             [#####---------------]  27 %  121 MiB/s  12:34',
    ]);
  });

  it('on a narrow terminal are name and per cent', () => {
    expect(progressLines(snapshot, 39, 23)).toEqual([
      'image puavo-...01-20-173248-amd64  45 %',
      'delta puavo-...01-20-173248-amd64   0 %',
      '3 of 12 done                       27 %',
    ]);
  });

  it('without a plan count what is done', () => {
    const unknown = { ...snapshot, running: [], expected: undefined, fraction: undefined, leftMs: undefined };
    expect(progressLines(unknown, 79, 23)).toEqual([
      '3 done                                                         121 MiB/s       ',
    ]);
  });

  it('leave out the jobs that the screen has no rows for, and say so', () => {
    const lines = progressLines({ ...snapshot, running: Array<RunningJob>(10).fill(image) }, 79, 4);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toMatch(/^3 of 12 done, 7 more running /);
  });

  it('are never wider than they may be, and all equally wide where there is room', () => {
    const size = fc.integer({ min: 0, max: 2 ** 50 });
    const rate = fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined });
    const job = fc.record({
      kind: fc.constantFrom('examine', 'delta', 'check-delta', 'digest'),
      path: fc.oneof(fc.string(), fc.constantFrom(NEW_IMAGE, DELTA)),
      doneBytes: size,
      totalBytes: size,
      bytesPerSecond: rate,
    });
    const state = fc.record({
      running: fc.array(job, { maxLength: 5 }),
      ended: fc.nat(),
      expected: fc.option(fc.nat(), { nil: undefined }),
      bytesPerSecond: rate,
      fraction: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      leftMs: fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(state, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 8 }), (random, width, rows) => {
        const lines = progressLines(random as ProgressSnapshot, width, rows);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(width);
          if (width >= 60) expect(line).toHaveLength(width);
        }
      }),
    );
  });
});
