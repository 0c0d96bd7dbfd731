import { describe, expect, it } from 'vitest';
import { ProgressState } from '../../../src/cli/render/progress-state.js';
import { DELTA, failed, finished, NEW_IMAGE, OLD_IMAGE, plan, progress, started } from './sample-events.js';

describe('the state of the work', () => {
  it('without a plan has no share and no time left', () => {
    const state = new ProgressState(0);
    state.apply(started(1, OLD_IMAGE), 0);
    state.apply(progress(1, 500), 1000);
    expect(state.snapshot(1000)).toEqual({
      running: [{ kind: 'examine', path: OLD_IMAGE, doneBytes: 500, totalBytes: 1000, bytesPerSecond: 500 }],
      ended: 0,
      expected: undefined,
      bytesPerSecond: 500,
      fraction: undefined,
      leftMs: undefined,
    });
  });

  it('with a plan counts the bytes of jobs that have not begun as if they were like the others', () => {
    const state = new ProgressState(0);
    state.apply(plan, 0);
    state.apply(started(1, OLD_IMAGE), 0);
    state.apply(progress(1, 500), 1000);
    // Two images of 1000 bytes, and a delta that will read three: 500 of 5000 are done.
    expect(state.snapshot(1000)).toMatchObject({ ended: 0, expected: 3, fraction: 0.1, leftMs: 9_000 });
    state.apply(started(2, DELTA, 8000), 1000);
    expect(state.snapshot(1000)).toMatchObject({ fraction: 0.05, leftMs: 19_000 });
  });

  it('is done when every job has ended, well or not', () => {
    const state = new ProgressState(0);
    state.apply(plan, 0);
    for (const [job, path] of [OLD_IMAGE, NEW_IMAGE, DELTA].entries()) {
      state.apply(started(job, path), job * 1000);
      state.apply(job === 1 ? failed(job, path) : finished(job, path), (job + 1) * 1000);
    }
    expect(state.snapshot(3000)).toMatchObject({ running: [], ended: 3, expected: 3, fraction: 1, leftMs: 0 });
  });

  it('takes a second plan for what is left from then on', () => {
    const state = new ProgressState(0);
    state.apply(plan, 0);
    state.apply(started(1, OLD_IMAGE), 0);
    state.apply(finished(1, OLD_IMAGE), 1);
    state.apply({ ...plan, actions: plan.actions.slice(2) }, 2);
    expect(state.snapshot(3)).toMatchObject({ ended: 1, expected: 2 });
  });

  it('expects more when more jobs begin than were planned', () => {
    const state = new ProgressState(0);
    state.apply({ ...plan, actions: plan.actions.slice(0, 1) }, 0);
    state.apply(started(1, OLD_IMAGE), 0);
    state.apply(started(2, NEW_IMAGE), 0);
    expect(state.snapshot(1).expected).toBe(2);
  });

  it('never has more than all of it done', () => {
    const state = new ProgressState(0);
    state.apply(plan, 0);
    state.apply(started(1, OLD_IMAGE), 0);
    state.apply(progress(1, 5000), 1000);
    expect(state.snapshot(1000).running[0]?.doneBytes).toBe(1000);
  });

  it('lets a job keep its place while others end, and gives a free place to the next', () => {
    const state = new ProgressState(0);
    const paths = () => state.snapshot(0).running.map(({ path }) => path);
    state.apply(started(1, 'a'), 0);
    state.apply(started(2, 'b'), 0);
    state.apply(started(3, 'c'), 0);
    state.apply(finished(2, 'b'), 0);
    state.apply(started(4, 'd'), 0);
    expect(paths()).toEqual(['a', 'd', 'c']);
  });

  it('survives jobs that it never heard of', () => {
    const state = new ProgressState(0);
    state.apply(progress(7, 1), 0);
    state.apply(finished(7, 'x'), 0);
    expect(state.snapshot(0).running).toEqual([]);
  });
});
