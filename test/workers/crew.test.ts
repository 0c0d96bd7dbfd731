import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { UpdateRepositoryError } from '../../src/errors.js';
import type { RepositoryEvent } from '../../src/events.js';
import { Crew, type Resources } from '../../src/workers/crew.js';
import type { Task, TaskOutcome } from '../../src/workers/task.js';

const PLENTY: Resources = { jobs: 2, memoryBytes: 100 };

describe('a crew', () => {
  it('starts the largest tasks first, and those of one size in their order', async () => {
    const { crew, events } = makeCrew({ jobs: 1, memoryBytes: 100 });
    const sizes = { small: 1, large: 9, one: 5, other: 5 };
    await crew.run(
      Object.entries(sizes).map(([path, totalBytes]) => taskOf({ path, totalBytes })),
      false,
    );
    expect(started(events)).toEqual(['large', 'one', 'other', 'small']);
  });

  it('never runs more tasks at once than it may, and keeps all of them busy', async () => {
    const { crew } = makeCrew({ jobs: 3, memoryBytes: 100 });
    const counter = makeCounter();
    await crew.run(
      Array.from({ length: 10 }, () => counter.task({ memoryBytes: 1 })),
      false,
    );
    expect(counter.mostAtOnce()).toBe(3);
    expect(counter.mostBytes()).toBe(3);
  });

  it('never needs more memory at once than the budget, and lets small tasks pass a large one that waits', async () => {
    const { crew, events } = makeCrew({ jobs: 4, memoryBytes: 10 });
    const counter = makeCounter();
    await crew.run(
      [
        counter.task({ path: 'first', totalBytes: 9, memoryBytes: 6 }),
        counter.task({ path: 'waits', totalBytes: 8, memoryBytes: 5 }),
        counter.task({ path: 'passes', totalBytes: 7, memoryBytes: 4 }),
      ],
      false,
    );
    expect(counter.mostBytes()).toBe(10);
    expect(started(events)).toEqual(['first', 'passes', 'waits']);
  });

  it('refuses a task that the whole budget cannot hold, says how much it needs, and runs one that just fits', async () => {
    const { crew, events } = makeCrew({ jobs: 1, memoryBytes: 2 ** 20 });
    const fitting = taskOf({ path: 'fits', memoryBytes: 2 ** 20 });
    const tooLarge = taskOf({ path: 'too-large', memoryBytes: 2 ** 20 + 1 });
    const failures = await crew.run([tooLarge, fitting], true);
    expect(failures.map(({ error }) => error)).toMatchObject([
      {
        code: 'MEMORY',
        message: 'too-large: needs 2M of memory, and the budget is 1M',
        data: { neededBytes: 2 ** 20 + 1, budgetBytes: 2 ** 20 },
        hint: expect.stringContaining('--memory 2M'),
      },
    ]);
    expect(finished(events)).toEqual(['fits']);
  });

  it.each([
    { memoryBytes: 2 ** 20 - 1, found: '1048575 bytes' },
    { memoryBytes: 1.9 * 2 ** 20, found: '1M' },
  ])('never gives a budget of $memoryBytes bytes as the need that it refuses', async ({ memoryBytes, found }) => {
    const { crew } = makeCrew({ jobs: 1, memoryBytes });
    const failures = await crew.run([taskOf({ path: 'too-large', memoryBytes: 2 ** 21 })], true);
    expect(failures.map(({ error }) => error.message)).toEqual([
      `too-large: needs 2M of memory, and the budget is ${found}`,
    ]);
  });

  it('counts what a group shares once, from its first task to its last, and runs its tasks together', async () => {
    const { crew, events } = makeCrew({ jobs: 2, memoryBytes: 10 });
    const counter = makeCounter();
    const [one, other] = [{ memoryBytes: 6 }, { memoryBytes: 6 }];
    await crew.run(
      [
        counter.task({ path: 'a1', totalBytes: 5, group: one }),
        counter.task({ path: 'b1', totalBytes: 4, group: other }),
        counter.task({ path: 'a2', totalBytes: 3, group: one }),
        counter.task({ path: 'b2', totalBytes: 2, group: other }),
        counter.task({ path: 'alone', totalBytes: 1, memoryBytes: 3 }),
      ],
      false,
    );
    // The second group does not fit beside the first; what is alone does.
    expect(started(events)).toEqual(['a1', 'a2', 'alone', 'b1', 'b2']);
    expect(counter.mostAtOnce()).toBe(2);
  });

  it('refuses a task whose group does not fit, naming what both need', async () => {
    const { crew } = makeCrew({ jobs: 1, memoryBytes: 3 * 2 ** 20 });
    const run = crew.run([taskOf({ memoryBytes: 2 ** 20, group: { memoryBytes: 3 * 2 ** 20 } })], false);
    await expect(run).rejects.toMatchObject({ code: 'MEMORY', data: { neededBytes: 4 * 2 ** 20 } });
  });

  it('stops at the first failure: nothing more is started, what runs is waited for, and the failure is thrown', async () => {
    const { crew, events } = makeCrew({ jobs: 2, memoryBytes: 100 });
    const slow = makeGate();
    const run = crew.run(
      [
        taskOf({ path: 'slow', totalBytes: 9, perform: () => slow.passed.then(() => done) }),
        taskOf({ path: 'fails', totalBytes: 8, perform: () => Promise.reject(failure('FORMAT')) }),
        taskOf({ path: 'never' }),
      ],
      false,
    );
    const settled = makeFlag(run);
    await setImmediate();
    expect(settled.isSet()).toBe(false);
    slow.open();
    await expect(run).rejects.toMatchObject({ code: 'FORMAT' });
    expect(started(events)).toEqual(['slow', 'fails']);
    expect(failed(events)).toEqual(['fails FORMAT']);
  });

  it('runs everything else when it keeps going, and returns the failures', async () => {
    const { crew, events } = makeCrew(PLENTY);
    const failures = await crew.run(
      [
        taskOf({ path: 'one', perform: () => Promise.reject(failure('FORMAT')) }),
        taskOf({ path: 'two' }),
        taskOf({ path: 'three', perform: () => Promise.reject(failure('IO')) }),
        taskOf({ path: 'four' }),
      ],
      true,
    );
    expect(failures.map(({ task, error }) => `${task.path} ${error.code}`)).toEqual(['one FORMAT', 'three IO']);
    expect(finished(events)).toEqual(['two', 'four']);
  });

  it('stops for want of space even when it keeps going', async () => {
    const { crew, events } = makeCrew({ jobs: 1, memoryBytes: 100 });
    const run = crew.run(
      [taskOf({ path: 'full', perform: () => Promise.reject(failure('NO_SPACE')) }), taskOf({ path: 'never' })],
      true,
    );
    await expect(run).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(started(events)).toEqual(['full']);
  });

  it('starts nothing once it is told to stop, and then says INTERRUPTED whatever tasks failed with', async () => {
    const stop = new AbortController();
    const { crew, events } = makeCrew({ jobs: 1, memoryBytes: 100 }, stop.signal);
    const run = crew.run(
      [
        taskOf({
          path: 'stopped',
          async perform() {
            stop.abort();
            throw failure('FORMAT');
          },
        }),
        taskOf({ path: 'never' }),
      ],
      true,
    );
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(started(events)).toEqual(['stopped']);
    expect(failed(events)).toEqual([]);
    await expect(crew.run([taskOf({ path: 'later' })], false)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(started(events)).toEqual(['stopped']);
  });

  it('takes any other error for a bug and keeps its stack', async () => {
    const { crew } = makeCrew(PLENTY);
    const bug = new TypeError('undefined is not a function');
    const [found] = await crew.run([taskOf({ perform: () => Promise.reject(bug) })], true);
    expect(found?.error).toMatchObject({ code: 'INTERNAL', message: bug.message, stack: bug.stack, cause: bug });
  });

  it('reports each task with a number of its own, its size and its result', async () => {
    const { crew, events } = makeCrew(PLENTY);
    await crew.run([taskOf({ path: 'one', totalBytes: 7 })], false);
    await crew.run([taskOf({ path: 'two' })], false);
    expect(events).toMatchObject([
      { type: 'job-started', job: 1, kind: 'digest', path: 'one', totalBytes: 7 },
      { type: 'job-finished', job: 1, kind: 'digest', path: 'one', sizeBytes: 3, detail: 'done' },
      { type: 'job-started', job: 2, path: 'two' },
      { type: 'job-finished', job: 2, path: 'two' },
    ]);
  });

  it('has nothing to do for no tasks', async () => {
    const { crew, events } = makeCrew(PLENTY);
    expect(await crew.run([], false)).toEqual([]);
    expect(events).toEqual([]);
  });

  it.each([0, -1, 1.5, Number.NaN])('of %s jobs is refused', (jobs) => {
    expect(() => makeCrew({ jobs, memoryBytes: 1 })).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

const done: TaskOutcome = { sizeBytes: 3, detail: 'done' };

function makeCrew(resources: Resources, signal: AbortSignal = new AbortController().signal) {
  const events: RepositoryEvent[] = [];
  const crew = new Crew({ resources, signal, onEvent: (event) => events.push(event) });
  onTestFinished(() => crew[Symbol.asyncDispose]());
  return { crew, events };
}

/** A task that never asks for a worker. */
function taskOf(changes: Partial<Task>): Task {
  return { kind: 'digest', path: 'task', totalBytes: 0, memoryBytes: 1, perform: async () => done, ...changes };
}

/** Tasks that note how many of them run, and with how much memory, while they take a few turns of the event loop. */
function makeCounter() {
  const running: number[] = [];
  let [most, mostBytes] = [0, 0];
  return {
    task(changes: Partial<Task>): Task {
      const memoryBytes = changes.memoryBytes ?? 1;
      return taskOf({
        ...changes,
        async perform() {
          running.push(memoryBytes);
          most = Math.max(most, running.length);
          mostBytes = Math.max(
            mostBytes,
            running.reduce((sum, bytes) => sum + bytes),
          );
          for (let turn = 0; turn < 3; turn++) await setImmediate();
          running.splice(running.indexOf(memoryBytes), 1);
          return done;
        },
      });
    },
    mostAtOnce: () => most,
    mostBytes: () => mostBytes,
  };
}

function makeGate() {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

function makeFlag(promise: Promise<unknown>) {
  let set = false;
  const mark = (): void => {
    set = true;
  };
  promise.then(mark, mark);
  return { isSet: () => set };
}

function failure(code: 'FORMAT' | 'IO' | 'NO_SPACE'): UpdateRepositoryError {
  return new UpdateRepositoryError(code, `it failed with ${code}`);
}

function started(events: readonly RepositoryEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'job-started' ? event.path : []));
}

function finished(events: readonly RepositoryEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'job-finished' ? event.path : []));
}

function failed(events: readonly RepositoryEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'job-failed' ? `${event.path} ${event.error.code}` : []));
}
