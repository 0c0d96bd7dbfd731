import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { choosePalette } from '../../../src/cli/render/colors.js';
import { TerminalProgress } from '../../../src/cli/render/terminal.js';
import type { RepositoryEvent } from '../../../src/events.js';
import { FakeStream } from './fake-streams.js';
import { buildSummary, DELTA, finished, NEW_IMAGE, OLD_IMAGE, plan, progress, started } from './sample-events.js';
import { Screen } from './screen.js';

const FRAME_MS = 125;
const plain = choosePalette({ isTerminal: false, allowed: true, env: {} });

/** A terminal with a display on it, and what can be seen there. */
function display(columns = 80, rows = 24) {
  const stderr = new FakeStream({ columns, rows });
  const screen = new Screen(columns);
  stderr.onText = (text) => screen.write(text);
  const renderer = new TerminalProgress(stderr, plain);
  const show = (...events: readonly RepositoryEvent[]): string[] => {
    for (const event of events) renderer.onEvent(event);
    vi.advanceTimersByTime(FRAME_MS);
    return screen.text;
  };
  return { stderr, screen, renderer, show };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the display on a terminal', () => {
  it('has a bar for each running job and one for the whole below them', () => {
    const { show } = display();
    show(plan, started(1, OLD_IMAGE), started(2, NEW_IMAGE));
    expect(show(progress(1, 500))).toEqual([
      'image puavo-os...r-2022-01-17-120001-amd64 [#####-----]  50 %  2.0 KiB/s   0:01',
      'image puavo-os...r-2022-01-20-173248-amd64 [----------]   0 %',
      '0 of 3 done                                [#---------]  10 %  2.0 KiB/s   0:03',
    ]);
  });

  it('takes the bar of a job away when it has ended', () => {
    const { show } = display();
    show(plan, started(1, OLD_IMAGE), started(2, NEW_IMAGE));
    const lines = show(finished(1, OLD_IMAGE));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^image .*2022-01-20/);
    expect(lines[1]).toMatch(/^1 of 3 done/);
  });

  it('grows and shrinks with the jobs and never leaves a line behind', () => {
    const { show } = display();
    show(plan);
    for (let round = 0; round < 5; round += 1) {
      const jobs = [10, 11, 12, 13].map((number) => round * 10 + number);
      expect(show(...jobs.map((job) => started(job, `${job}.img`)))).toHaveLength(5);
      expect(show(...jobs.slice(1).map((job) => finished(job, `${job}.img`)))).toHaveLength(2);
      expect(show(finished(jobs[0]!, `${jobs[0]}.img`))).toHaveLength(1);
    }
  });

  it('prints notes above the bars, long ones over as many lines as they need', () => {
    const { show } = display();
    show({ type: 'note', level: 'info', message: 'before' }, plan, started(1, OLD_IMAGE), started(2, NEW_IMAGE));
    const lines = show(
      { type: 'note', level: 'info', message: 'one' },
      { type: 'note', level: 'info', message: 'two' },
      { type: 'note', level: 'warning', subject: DELTA, message: 'x'.repeat(100) },
    );
    expect(lines.slice(0, 4)).toEqual(['note: before', 'note: one', 'note: two', `warning: ${DELTA.slice(0, 71)}`]);
    expect(lines.slice(3, 6).join('')).toBe(`warning: ${DELTA}: ${'x'.repeat(100)}`);
    expect(lines.slice(6).map((line) => line.slice(0, 12))).toEqual(['image puavo-', 'image puavo-', '0 of 3 done ']);
  });

  it('does not list every finished job: the bars show them', () => {
    const { show, renderer, screen } = display();
    show(plan, started(1, OLD_IMAGE), finished(1, OLD_IMAGE));
    renderer.close();
    expect(screen.text).toEqual([]);
  });

  it('is gone when a summary comes, with the last notes printed', () => {
    const { show, renderer, screen } = display();
    show(plan, started(1, OLD_IMAGE));
    renderer.onEvent({ type: 'note', level: 'info', message: 'last' });
    renderer.onEvent(buildSummary);
    expect(screen.text).toEqual(['note: last']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is gone when the command fails, and closing it twice does no harm', () => {
    const { show, renderer, screen, stderr } = display();
    show(plan, started(1, OLD_IMAGE));
    renderer.close();
    renderer.close();
    stderr.write('update-repository: failed\n');
    expect(screen.text).toEqual(['update-repository: failed']);
  });

  it('has no bars before there is a job', () => {
    const { show, stderr } = display();
    expect(show(plan)).toEqual([]);
    expect(stderr.written).toBe('');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays within the rows of a small terminal', () => {
    const { show } = display(80, 6);
    const jobs = Array.from({ length: 16 }, (_, job) => started(job, `${job}.img`));
    const lines = show(plan, ...jobs);
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toMatch(/^0 of \d+ done, 12 more running/);
  });

  it('follows a change of the width', () => {
    const { show, stderr } = display(100);
    show(plan, started(1, OLD_IMAGE));
    Object.assign(stderr, { columns: 60 });
    const lines = show(progress(1, 100));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(60);
  });

  it('reaches the terminal one whole frame at a time', () => {
    const { show, stderr } = display();
    show(plan, started(1, OLD_IMAGE), started(2, NEW_IMAGE));
    let corked = 0;
    const write = stderr.write.bind(stderr);
    stderr.write = ((chunk: string) => {
      if (stderr.writableCorked === 0) corked += 1;
      return write(chunk);
    }) as typeof stderr.write;
    show(progress(1, 500));
    expect(corked).toBe(0);
  });
});
